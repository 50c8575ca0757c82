"""What a policy looks at: the newest tokens and joints, and whether they are fresh enough to act on."""

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
from sensor_msgs.msg import JointState
from theia_msgs.msg import SpatialTokens

from theia.messages.joints import JointReader
from theia.messages.stamps import Now, to_seconds
from theia.messages.tokens import tokens_array
from theia_core.alignment import align

# Joint states are kept for so long, so that a frame that comes late still meets those of its time.
_KEPT = 500


@dataclass(frozen=True)
class Observation:
    """One input of a policy.

    Attributes:
        tokens: (N, d) float16.
        joints: (7,) float32, measured nearest to the frame that the tokens came from.
        message: where the tokens came from; its header is the camera frame's.
    """

    tokens: np.ndarray
    joints: np.ndarray
    message: SpatialTokens


class NewestObservation:
    """The newest tokens and joints; written by callbacks, read by the control step of another thread."""

    def __init__(self, joint_names: tuple[str, ...], silence_s: float, max_age_s: float) -> None:
        """Observe the positions of `joint_names`.

        Args:
            joint_names: joints in the policy's order.
            silence_s: longest time without a new message.
            max_age_s: greatest age of a frame when its tokens are used.
        """
        self._reader = JointReader(joint_names)
        self._silence_s, self._max_age_s = silence_s, max_age_s
        self._lock = threading.Lock()
        self._tokens: tuple[SpatialTokens, float] | None = None
        self._joints: deque[tuple[float, np.ndarray]] = deque(maxlen=_KEPT)  # stamp [s], positions
        self._joints_came_s, self._joints_named = 0.0, 0

    def on_tokens(self, message: SpatialTokens, now_s: float) -> None:
        """Take tokens that came at `now_s` (monotonic)."""
        with self._lock:
            self._tokens = message, now_s

    def on_joints(self, message: JointState, now_s: float) -> None:
        """Take joint states that came at `now_s` (monotonic)."""
        stamp_s, positions = to_seconds(message.header.stamp), self._reader.positions(message)
        with self._lock:
            if self._joints and stamp_s < self._joints[-1][0]:
                self._joints.clear()  # the driver's clock was set back: what is kept belongs to another time
            self._joints_came_s, self._joints_named = now_s, len(positions)
            if len(positions) == len(self._reader.names):
                self._joints.append((stamp_s, positions))

    @property
    def newest_tokens(self) -> SpatialTokens | None:
        """The newest tokens, however old."""
        with self._lock:
            return self._tokens[0] if self._tokens else None

    def trouble(self, now: Now) -> str:
        """Why nothing should be done on this observation; empty if it is fresh and whole."""
        with self._lock:
            tokens, joints_came_s, named = self._tokens, self._joints_came_s, self._joints_named
        if tokens is None:
            return "no tokens yet: is the encoder active and the camera on?"
        if (silent_s := now.monotonic_s - tokens[1]) > self._silence_s:
            return f"tokens stale: encoder silent for {silent_s:.2f} s"
        if (age_s := now.age_s(tokens[0].header.stamp)) > self._max_age_s:
            return f"tokens stale: the camera frame is {age_s:.2f} s old"
        if not joints_came_s:
            return "no joint_states yet: is the arm's driver running?"
        if (silent_s := now.monotonic_s - joints_came_s) > self._silence_s:
            return f"joints stale: joint_states silent for {silent_s:.2f} s"
        if named != len(self._reader.names):
            return f"joint_states names {named} of {len(self._reader.names)} joints"
        return ""

    def take(self) -> Observation:
        """The newest observation; only while `trouble` finds none."""
        with self._lock:
            assert self._tokens is not None
            message = self._tokens[0]
            stamps_s, positions = zip(*self._joints, strict=True)
        frame_s = to_seconds(message.header.stamp)
        _, row = align([frame_s], stamps_s, frame_s)
        return Observation(tokens_array(message), positions[row].astype(np.float32), message)
