"""Which chunk is sent at a control step: a new prediction, or what is left of the last one."""

import numpy as np

from theia_core.actions.chunks import ActionChunk


class RecedingHorizon:
    """Executes the first `execute_steps` actions of each prediction, one a step, then asks for another.

    At every step a chunk goes out: the guard takes silence for the death of the policy.
    """

    def __init__(self, policy_id: str, execute_steps: int, dt_s: float, action_space: str) -> None:
        """Start without a prediction.

        Args:
            policy_id: name and hash that each chunk carries.
            execute_steps: actions to execute of each prediction.
            dt_s: time of one control step.
            action_space: name of the policy's action space.
        """
        self._policy_id, self._execute_steps = policy_id, execute_steps
        self._dt_s, self._action_space = dt_s, action_space
        self._prediction: ActionChunk | None = None
        self._consumed = 0
        self._sequence = 0

    def restart(self) -> None:
        """Forget the prediction: the arm did not execute it."""
        self._prediction = None

    @property
    def needs_prediction(self) -> bool:
        """Whether the next step needs a new prediction."""
        prediction = self._prediction
        return prediction is None or self._consumed >= min(self._execute_steps, prediction.horizon)

    def predicted(self, actions: np.ndarray, observed_s: float) -> None:
        """Take a new prediction (H, D), computed from an observation of the time `observed_s`."""
        self._prediction = ActionChunk(
            observed_s, self._dt_s, actions, observed_s, 0, self._policy_id, self._action_space
        )
        self._consumed = 0

    def step(self, now_s: float) -> ActionChunk:
        """The chunk to send at this control step; valid for two steps."""
        assert self._prediction is not None
        self._sequence += 1
        chunk = self._prediction.tail(self._consumed, self._sequence, now_s + 2 * self._dt_s)
        self._consumed += 1
        return chunk

    def hold(self, now_s: float, reason: str) -> ActionChunk:
        """The order to hold; the prediction is forgotten."""
        self.restart()
        self._sequence += 1
        nothing = np.zeros((0, 7), np.float32)
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
