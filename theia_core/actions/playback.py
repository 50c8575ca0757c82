"""Which action of which chunk is due: steps of 0.2 s, late actions dropped, silence noticed."""

from typing import Protocol

import numpy as np

from theia_core.actions.chunks import ActionChunk
from theia_core.actions.guard_state import Refusal

_EARLY_TICKS = 2  # a new chunk may start its step so many ticks before the old one is over: jitter
_LATE_TICKS = 3  # without a new chunk the old one plays on after this many ticks more


class StepTimes(Protocol):
    """What of a robot's limits says when steps and ticks come."""

    @property
    def step_s(self) -> float:
        """Time of one action."""

    @property
    def tick_s(self) -> float:
        """Time of one tick of the guard."""

    @property
    def input_timeout_s(self) -> float:
        """How long a policy may be silent."""


class Playback:
    """Plays the newest chunk of one policy run.

    Attributes:
        dropped_late: actions whose time had passed when their chunk came.
        chunk: what is being played, None after `stop`.
    """

    def __init__(self, limits: StepTimes) -> None:
        """Begin without a run."""
        self._limits = limits
        self.dropped_late = 0
        self.chunk: ActionChunk | None = None
        self._owner: str | None = None
        self.forget_run()

    def forget_run(self) -> None:
        """Forget chunk and numbering, as before a new run of a policy."""
        self.stop()
        self._received_s = self._next_step_s = -np.inf
        self._sequence, self._owner = 0, None
        self._played_stamp_s, self._played_index = np.nan, -1

    def stop(self) -> None:
        """Drop the chunk; numbering goes on."""
        self.chunk, self._fresh = None, False

    def start(self, now_s: float) -> None:
        """The next action may begin now, and silence counts from now on."""
        self._next_step_s = self._received_s = now_s

    def out_of_turn(self, chunk: ActionChunk) -> Refusal | None:
        """Whether the run belongs to another policy, or this chunk or a later one of it has been seen."""
        if self._owner is None:
            return None
        if chunk.policy_id != self._owner:
            return Refusal.OTHER_POLICY
        return Refusal.STALE_SEQUENCE if chunk.sequence <= self._sequence else None

    def note(self, chunk: ActionChunk) -> None:
        """Remember the chunk's number, and whose run it is."""
        self._sequence, self._owner = chunk.sequence, chunk.policy_id

    def take(self, now_s: float, chunk: ActionChunk) -> None:
        """Play `chunk` from its next step on."""
        self.chunk, self._received_s, self._fresh = chunk, now_s, True

    def silence(self, now_s: float) -> str | None:
        """Say so if there is nothing to go by any more."""
        silent_s = now_s - self._received_s
        if silent_s >= self._limits.input_timeout_s - 1e-9:
            return f"no action chunk for {silent_s:.2f} s: is the policy running?"
        if self.chunk is not None and now_s >= self.chunk.expires_at_s:
            return "the action chunk expired"
        return None

    def due_action(self, now_s: float) -> np.ndarray | None:
        """The action (D,) whose step begins now, if one does; each is given out once."""
        chunk = self.chunk
        if chunk is None or not self._step_is_due(now_s):
            return None
        self._fresh, self._next_step_s = False, now_s + self._limits.step_s
        index = max(chunk.due_index(now_s), 0)
        if chunk.stamp_s == self._played_stamp_s and index == self._played_index:
            return None
        self.dropped_late += index if chunk.stamp_s != self._played_stamp_s else 0
        self._played_stamp_s, self._played_index = chunk.stamp_s, index
        return chunk.actions[index].astype(float) if index < chunk.horizon else None

    def _step_is_due(self, now_s: float) -> bool:
        tick_s = self._limits.tick_s
        early = self._fresh and self._next_step_s - _EARLY_TICKS * tick_s <= now_s + 1e-9
        return early or self._next_step_s + _LATE_TICKS * tick_s <= now_s + 1e-9
