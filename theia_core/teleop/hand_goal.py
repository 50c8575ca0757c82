"""From an operator's deltas to absolute hand poses (`ee_pose`), for robots that are told those: Spot."""

import numpy as np

from theia_core.actions.hand_filter import HandGoal
from theia_core.actions.hand_state import STATE_NAMES
from theia_core.actions.poses import Pose
from theia_core.actions.rotations import matrix_from_rotation_6d
from theia_core.actions.spaces import apply_delta

_POSITION = STATE_NAMES.index("hand_x_m")
_ROTATION = STATE_NAMES.index("hand_r00")
_GRIPPER = STATE_NAMES.index("gripper_fraction")


class CarriedGoal:
    """The pose that the operator has asked for; never further ahead of the hand than it could follow.

    Without that bound a goal that the guard keeps inside its workspace would run away, and the operator would
    have to come all the way back before the hand moves again.
    """

    def __init__(self, most_ahead_m: float) -> None:
        """Begin without a hand.

        Args:
            most_ahead_m: largest distance between goal and measured hand.
        """
        self._most_ahead_m = most_ahead_m
        self._measured: HandGoal | None = None
        self._goal: Pose | None = None

    def on_state(self, state: np.ndarray) -> None:
        """Take the measured state (17,) of `hand_state.STATE_NAMES`."""
        rotation = matrix_from_rotation_6d(np.asarray(state[_ROTATION : _ROTATION + 6], float))
        pose = Pose(np.asarray(state[_POSITION : _POSITION + 3], float), rotation)
        self._measured = HandGoal(pose, float(state[_GRIPPER]))

    @property
    def gripper(self) -> float | None:
        """How far the gripper is open, None before the first state."""
        return None if self._measured is None else self._measured.gripper

    def engage(self) -> None:
        """The clutch is taken: the goal is where the hand is."""
        self._goal = None if self._measured is None else self._measured.pose

    def action(self, delta: np.ndarray) -> np.ndarray | None:
        """The `ee_pose` action (10,) float32 after a delta (7,), in the axes of the root frame.

        None where no state of the hand is known.
        """
        if self._measured is None:
            return None
        before = self._goal or self._measured.pose
        position_m, rotation = apply_delta(before.position_m, before.rotation, delta.astype(float))
        ahead_m = position_m - self._measured.pose.position_m
        distance_m = float(np.linalg.norm(ahead_m))
        if distance_m > self._most_ahead_m:
            position_m = self._measured.pose.position_m + ahead_m * (self._most_ahead_m / distance_m)
        self._goal = Pose(position_m, rotation)
        return HandGoal(self._goal, float(delta[6])).action.astype(np.float32)
