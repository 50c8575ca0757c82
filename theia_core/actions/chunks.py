"""Action chunks: H actions stamped with the observation they were computed from, and which of them is due."""

from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True)
class ActionChunk:
    """What a policy asks for: `actions[i]` belongs to the time `stamp_s + i * dt_s`.

    Attributes:
        stamp_s: time of the observation that the chunk was computed from.
        dt_s: time between two actions, 0.2 at 5 Hz.
        actions: (H, D) float32; H = 0 is the order to hold, and `reason` says why.
        expires_at_s: after this time no action of the chunk may be started.
        sequence: grows with each chunk of one policy run; an older number than the last seen is refused.
        policy_id: name and weights hash of the policy.
        action_space: name in `theia_core.actions.spaces.ACTION_SPACES`.
        reason: why the policy asks to hold; empty otherwise.
    """

    stamp_s: float
    dt_s: float
    actions: np.ndarray = field(repr=False)
    expires_at_s: float
    sequence: int
    policy_id: str = ""
    action_space: str = "ee_delta"
    reason: str = ""

    @property
    def horizon(self) -> int:
        """Number of actions H."""
        return len(self.actions)

    def due_index(self, now_s: float) -> int:
        """Index of the action whose time slot contains `now_s`; may lie outside 0..H-1."""
        return int(np.floor((now_s - self.stamp_s) / self.dt_s + 1e-6))

    def tail(self, steps: int, sequence: int, expires_at_s: float) -> "ActionChunk":
        """The chunk without its first `steps` actions, to be sent again with a new number and expiry."""
        return replace(
            self,
            stamp_s=self.stamp_s + steps * self.dt_s,
            actions=self.actions[steps:],
            sequence=sequence,
            expires_at_s=expires_at_s,
        )
