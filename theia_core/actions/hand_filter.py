"""What an `ee_pose` action may make of the hand's goal: finite, a rotation, in the workspace, a step at most.

The simulated roll-outs and the robot's bridge use this one filter. It knows no time and no robot: goals
follow goals, one a control step. Every pose is that of "hand" in the root frame
(`theia_core.actions.hand_state`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from theia_core.actions.guard_state import Refusal
from theia_core.actions.hand_profile import HandProfile
from theia_core.actions.poses import Pose
from theia_core.actions.rotations import (
    angle_between_rad,
    matrix_from_rotation_6d,
    rotation_6d_from_matrix,
)
from theia_core.actions.spaces import EE_POSE

_SHORTEST, _LONGEST = 0.5, 2.0  # of a column of a 6D rotation; a policy's are near 1
_LEVEL = np.eye(3)


@dataclass(frozen=True)
class HandGoal:
    """Where the hand is to be, in the root frame, and how far open the gripper (0 closed to 1 open)."""

    pose: Pose
    gripper: float

    @property
    def action(self) -> np.ndarray:
        """The goal as an `ee_pose` action (10,) float32."""
        rotation = rotation_6d_from_matrix(self.pose.rotation)
        return np.concatenate([self.pose.position_m, rotation, [self.gripper]]).astype(np.float32)

    def towards(self, other: "HandGoal", share: float) -> "HandGoal":
        """The goal a share (0 to 1) of the way to another: straight, and about one axis."""
        turn_rad = _turn(self.pose.rotation, other.pose.rotation)
        return HandGoal(
            Pose(
                self.pose.position_m + share * (other.pose.position_m - self.pose.position_m),
                Rotation.from_rotvec(share * turn_rad).as_matrix() @ self.pose.rotation,
            ),
            self.gripper + share * (other.gripper - self.gripper),
        )


class HandFilter:
    """Goals of the hand, each checked against the one before.

    An action that is farther off than one step is approached by one step, so that a policy which jumps, or
    comes back after a pause, moves the hand no faster than any other. One that leaves the workspace is
    refused.

    Attributes:
        goal: the last goal that was taken, None before `begin`.
    """

    def __init__(self, profile: HandProfile, task: str) -> None:
        """Watch over `task`.

        Raises:
            TheiaError: if the profile has no workspace for the task.
        """
        self._limits, self._workspace = profile.guard, profile.workspace(task)
        self.goal: HandGoal | None = None

    def begin(self, goal: HandGoal) -> None:
        """Start from where the hand is, in the workspace or not: from outside it may only come nearer."""
        self.goal = goal

    def take(self, action: np.ndarray) -> HandGoal | Refusal:
        """The next goal for an action (10,), which is the goal from now on; or why it stays."""
        assert self.goal is not None, "an action before the first pose"
        goal = self._next(self.goal, action)
        if isinstance(goal, HandGoal):
            self.goal = goal
        return goal

    def preview(self, actions: Iterable[np.ndarray]) -> list[HandGoal]:
        """The goals that actions (10,) would lead to one after another, up to the first that is refused.

        Nothing is taken: for the rest of a trajectory that the robot is sent in advance.
        """
        assert self.goal is not None, "actions before the first pose"
        goals: list[HandGoal] = []
        for action in actions:
            goal = self._next(goals[-1] if goals else self.goal, action)
            if isinstance(goal, Refusal):
                break
            goals.append(goal)
        return goals

    def _next(self, before: HandGoal, action: np.ndarray) -> HandGoal | Refusal:
        limits = self._limits
        values = np.asarray(action, dtype=float)
        if values.shape != (EE_POSE.dim,):
            return Refusal.MALFORMED
        if not np.all(np.isfinite(values)):
            return Refusal.NON_FINITE
        if not self._is_rotation(values[3:9]):
            return Refusal.MALFORMED
        wanted = Pose(values[:3], matrix_from_rotation_6d(values[3:9]))
        if not self._admits(wanted, before.pose):
            return Refusal.WORKSPACE
        way_m = wanted.position_m - before.pose.position_m
        turn_rad = _turn(before.pose.rotation, wanted.rotation)
        way_m = _at_most(way_m, limits.max_step_m)
        turn_rad = _at_most(turn_rad, limits.max_step_rad)
        gripper = np.clip(
            np.clip(values[9], 0.0, 1.0) - before.gripper, -limits.max_gripper_step, limits.max_gripper_step
        )
        pose = Pose(
            before.pose.position_m + way_m,
            Rotation.from_rotvec(turn_rad).as_matrix() @ before.pose.rotation,
        )
        return HandGoal(pose, float(before.gripper + gripper))

    def _is_rotation(self, columns: np.ndarray) -> bool:
        first, second = columns[:3], columns[3:]
        lengths = np.linalg.norm(first), np.linalg.norm(second)
        if not all(_SHORTEST <= length <= _LONGEST for length in lengths):
            return False
        return bool(abs(first @ second) <= self._limits.max_skew * lengths[0] * lengths[1])

    def _admits(self, wanted: Pose, before: Pose) -> bool:
        """Whether a pose is in the workspace, or outside it in no way further than the one before."""
        outside = self._outside(wanted)
        return bool(np.all(outside <= np.maximum(self._outside(before), 0.0) + 1e-9))

    def _outside(self, pose: Pose) -> np.ndarray:
        """How far each face of the box (6,) and the largest turn are overstepped; negative inside."""
        space = self._workspace
        turned_rad = angle_between_rad(_LEVEL, pose.rotation)
        return np.concatenate(
            [
                space.workspace_min_m - pose.position_m,
                pose.position_m - space.workspace_max_m,
                [turned_rad - space.max_turn_rad],
            ]
        )


def _turn(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Rotation vector (3,) about the root's axes from one orientation (3, 3) to another."""
    return Rotation.from_matrix(after @ before.T).as_rotvec()


def _at_most(vector: np.ndarray, length: float) -> np.ndarray:
    return vector * min(1.0, length / max(float(np.linalg.norm(vector)), 1e-12))
