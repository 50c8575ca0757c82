"""Which chunk goes to the guard at a control step; the policy node and the fast roll-outs run this one."""

from dataclasses import replace

import numpy as np

from theia_core.actions.chunks import ActionChunk
from theia_core.actions.execution.ensemble import ensembled
from theia_core.actions.execution.mode import ExecutionMode
from theia_core.actions.spaces import ACTION_SPACES, EE_DELTA
from theia_core.errors import TheiaError

_SAME_OBSERVATION_S = 1e-3


class ChunkExecution:
    """Turns predictions into one chunk a control step: the guard takes silence for the death of the policy.

    Every control step: `predicted` first if `needs_prediction`, then `step`.

    A prediction's actions belong to times that are counted from its observation: action i is due at
    observation + i dt. When its first chunk goes out, k = floor(age / dt) of them lie in the past; with
    latency compensation they are dropped and the prediction starts at action k. Without compensation the
    prediction counts as observed when its first chunk goes out, and starts at action 0.

    From then on each `step` consumes one action. Steps are counted by their calls and not by the clock alone:
    a prediction that took most of a step puts its first chunk off, but not the next, so that a clock that
    runs from the first chunk would find the first action due twice. Only where the clock is ahead of the
    calls by more than half a step were control steps missed, and they consume their actions too.

    What a chunk holds beyond its first action is for the guard to play should the next chunk be late.

    Times are seconds of one clock. Not thread-safe.

    Attributes:
        predictions: predictions taken so far.
        dropped_late: actions dropped so far because their time had passed when their prediction was ready.
    """

    def __init__(
        self, mode: ExecutionMode, policy_id: str, dt_s: float, action_space: str = EE_DELTA.name
    ) -> None:
        """Start without a prediction.

        Args:
            mode: how predictions are executed.
            policy_id: name and hash that each chunk carries.
            dt_s: time of one control step.
            action_space: name of the policy's action space.

        Raises:
            TheiaError: if actions of another space than `ee_delta` would be averaged.
        """
        if mode.ensemble_m is not None and action_space != EE_DELTA.name:
            raise TheiaError(
                f"{mode} averages actions of {EE_DELTA.name}, not of {action_space}, whose rotations "
                "cannot be averaged number by number; execute this policy with receding:STEPS"
            )
        self.mode = mode
        self.predictions = self.dropped_late = 0
        self._policy_id, self._dt_s, self._action_space = policy_id, dt_s, action_space
        self._sequence = 0
        # What is ensembled, or only the newest; stamped with the time of action 0, the newest last.
        self._kept: list[ActionChunk] = []
        self.restart()

    def restart(self) -> None:
        """Forget all predictions: the arm did not execute them."""
        self._kept.clear()
        self._observed_s = -np.inf
        self._first_sent_s: float | None = None  # time of the newest prediction's first chunk
        self._late = self._sent = 0  # of the newest prediction: actions that were late, and chunks so far

    @property
    def empty(self) -> bool:
        """Whether there is no prediction to go on with."""
        return not self._kept

    def needs_prediction(self, now_s: float) -> bool:
        """Whether the control step at `now_s` needs a new prediction."""
        if not self._kept:
            return True
        consumed = self._consumed(now_s)
        return consumed >= self.mode.execute_steps or self._late + consumed >= self._kept[-1].horizon

    def predicted(self, actions: np.ndarray, observed_s: float) -> None:
        """Take a new prediction (H, D), computed from an observation of the time `observed_s`."""
        again = abs(observed_s - self._observed_s) < _SAME_OBSERVATION_S
        if self.mode.ensemble_m is None or again:
            del self._kept[-1:]  # nothing else is kept without ensembling; one observation counts once
        self._kept.append(
            ActionChunk(observed_s, self._dt_s, actions, observed_s, 0, self._policy_id, self._action_space)
        )
        self._observed_s, self._first_sent_s, self._sent = observed_s, None, 0
        self.predictions += 1

    def step(self, now_s: float) -> ActionChunk:
        """The chunk to send at the control step `now_s`; valid for two steps.

        It is an order to hold where a prediction came so late that none of its actions is left.
        """
        assert self._kept, "a control step before the first prediction"
        if self._first_sent_s is None:
            self._begin(now_s)
        consumed = self._consumed(now_s)
        newest, first = self._kept[-1], self._late + consumed
        if first >= newest.horizon:
            horizon = newest.horizon
            return self.hold(now_s, f"the prediction is {first} steps old and has only {horizon} actions")
        if self.mode.ensemble_m is not None:
            averaged = ensembled(self._kept, first, self.mode.ensemble_m)
            newest = replace(newest, actions=np.concatenate([newest.actions[:first], averaged]))
        self._sent = consumed + 1
        self._sequence += 1
        return newest.tail(first, self._sequence, now_s + 2 * self._dt_s)

    def hold(self, now_s: float, reason: str) -> ActionChunk:
        """The order to hold; all predictions are forgotten."""
        self.restart()
        self._sequence += 1
        nothing = np.zeros((0, ACTION_SPACES[self._action_space].dim), np.float32)
        return ActionChunk(
            now_s,
            self._dt_s,
            nothing,
            now_s + 2 * self._dt_s,
            self._sequence,
            self._policy_id,
            self._action_space,
            reason,
        )

    def _begin(self, now_s: float) -> None:
        """Send a prediction for the first time: from here its steps count."""
        if not self.mode.latency_compensation:
            self._kept[-1] = replace(self._kept[-1], stamp_s=now_s)
        newest = self._kept[-1]
        self._first_sent_s = now_s
        self._late = max(newest.due_index(now_s), 0)
        self.dropped_late += min(self._late, newest.horizon)
        # An older prediction with a value that is not finite was refused as a whole, and those whose time is
        # over have nothing to say. The newest is kept whatever it is: to refuse it is the guard's business.
        self._kept[:-1] = [
            older
            for older in self._kept[:-1]
            if older.due_index(now_s) < older.horizon and np.all(np.isfinite(older.actions))
        ]

    def _consumed(self, now_s: float) -> int:
        """Actions of the newest prediction that the control steps before `now_s` have consumed."""
        if self._first_sent_s is None:
            return 0
        return max(self._sent, round((now_s - self._first_sent_s) / self._dt_s))
