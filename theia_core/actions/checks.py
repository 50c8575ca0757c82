"""The guard's checks: of a chunk when it arrives, of the pose an action leads to, and of the way there."""

from collections.abc import Iterable

import numpy as np

from theia_core.actions.chunks import ActionChunk
from theia_core.actions.guard_state import Refusal
from theia_core.actions.kinematics import ArmKinematics, IKFailure
from theia_core.actions.profile import RobotProfile
from theia_core.actions.spaces import EE_DELTA, ActionSpace

_MOST_ACTIONS = 1000
_STEP_PART = 0.05  # how far a chunk's dt may lie from the guard's step, as a part of it
_OLDEST_S = 2.0  # what was observed longer ago than this is over, however many actions a chunk has
_FUTURE_S = 0.1  # clocks of two machines differ; more than that is no observation
_ROUNDING = 1e-9


def check_chunk(
    chunk: ActionChunk, now_s: float, step_s: float, space: ActionSpace = EE_DELTA
) -> Refusal | None:
    """Whether the chunk as a whole makes sense at `now_s`; its poses are checked when they are due.

    Sizes and kinds come first, so that nothing later can fail on them.
    """
    actions = chunk.actions
    if not isinstance(actions, np.ndarray) or actions.dtype.kind != "f" or actions.ndim != 2:
        return Refusal.MALFORMED
    horizon, dim = actions.shape
    if chunk.action_space != space.name or (horizon > 0 and dim != space.dim):
        return Refusal.MALFORMED
    if horizon > _MOST_ACTIONS or not abs(chunk.dt_s - step_s) <= _STEP_PART * step_s:
        return Refusal.MALFORMED
    if not (np.all(np.isfinite(actions)) and np.isfinite(chunk.stamp_s) and np.isfinite(chunk.expires_at_s)):
        return Refusal.NON_FINITE
    if now_s >= chunk.expires_at_s:
        return Refusal.EXPIRED
    if chunk.stamp_s > now_s + _FUTURE_S:
        return Refusal.FUTURE
    if horizon > 0 and now_s - chunk.stamp_s >= min(horizon * chunk.dt_s, _OLDEST_S) - 1e-6:
        return Refusal.STALE
    return None


class Envelope:
    """Where the commanded arm may be: joint limits, box of the tool centre point, floor under guarded points.

    An arm that is put into operation outside (by hand, or from its sleep pose) may move, but on no face of
    the box and with no point further out than it is; what it has regained it may not give up again.
    Nothing here knows of the arm's own links or of what stands in the workspace.
    """

    def __init__(self, profile: RobotProfile, kinematics: ArmKinematics, task: str) -> None:
        """Watch over `task`.

        Raises:
            TheiaError: if the profile has no workspace for the task.
        """
        self._profile, self._kinematics = profile, kinematics
        workspace = profile.workspace(task)
        self._low_m, self._high_m = workspace.workspace_min_m, workspace.workspace_max_m
        self._floor_m = workspace.floor_m
        points = len(profile.guarded_points)
        self._slack_m = np.array([profile.guard.path_slack_m] * 6 + [0.0] * points)
        self._allowed_m = self._slack_m
        self._boxed = True

    def admit(self, way_rad: Iterable[np.ndarray], *, boxed: bool = True) -> None:
        """Begin with joints (6,) that are taken already, inside or not; `boxed`: the task's box counts."""
        self._boxed = boxed
        self._allowed_m = np.max([self._slack_m, *map(self._excess_m, way_rad)], axis=0)

    def advance(self, way_rad: Iterable[np.ndarray]) -> Refusal | None:
        """Go to the first joints (6,) of a way if all of it is allowed, else say why not."""
        most_m = np.zeros_like(self._slack_m)
        for joints_rad in way_rad:
            excess_m = self._excess_m(joints_rad)
            if refusal := self._refusal(joints_rad, excess_m, self._allowed_m):
                return refusal
            most_m = np.maximum(most_m, excess_m)
        self._allowed_m = np.minimum(self._allowed_m, most_m + self._slack_m)
        return None

    def check_way(self, way_rad: Iterable[np.ndarray]) -> Refusal | None:
        """Whether a slow move through joints (6,) is allowed; the box does not count, floor and limits do."""
        allowed_m: np.ndarray | None = None
        for joints_rad in way_rad:
            excess_m = self._excess_m(joints_rad)
            excess_m[:6] = 0.0
            allowed_m = np.maximum(excess_m, self._slack_m) if allowed_m is None else allowed_m
            if refusal := self._refusal(joints_rad, excess_m, allowed_m):
                return refusal
        return None

    def solve(
        self, position_m: np.ndarray, rotation: np.ndarray, goal_m: np.ndarray, goal_rad: np.ndarray
    ) -> np.ndarray | Refusal:
        """Joints (6,) that reach a pose within every limit, or why there are none.

        Args:
            position_m: (3,) wanted position of the tool centre point in base_link.
            rotation: (3, 3) its wanted orientation.
            goal_m: (3,) position of the present goal, from which the step is taken.
            goal_rad: (6,) joints of the present goal.
        """
        if not self._box_admits(position_m, goal_m):
            return Refusal.WORKSPACE
        try:
            found_rad = self._kinematics.ik(position_m, rotation, goal_rad)
        except IKFailure:
            return Refusal.IK_FAILURE
        if self._beyond_limits(found_rad):
            return Refusal.JOINT_LIMIT
        if np.max(np.abs(found_rad - goal_rad)) > self._profile.guard.max_joint_step_rad:
            return Refusal.JOINT_STEP
        below_m = self._excess_m(found_rad)[6:]
        if np.any(below_m > np.maximum(self._allowed_m[6:], self._slack_m[6:]) + _ROUNDING):
            return Refusal.CLEARANCE
        return found_rad

    def _box_admits(self, position_m: np.ndarray, before_m: np.ndarray) -> bool:
        """Whether a goal lies inside the box, or outside it on no axis further than the goal before."""
        after = self._outside_m(position_m)
        return bool(np.all(after <= np.maximum(self._outside_m(before_m), 0.0)))

    def _outside_m(self, position_m: np.ndarray) -> np.ndarray:
        return np.maximum(np.concatenate([self._low_m - position_m, position_m - self._high_m]), 0.0)

    def _excess_m(self, joints_rad: np.ndarray) -> np.ndarray:
        """How far each face of the box (6,) and the floor (n,) is overstepped, zero where it is not."""
        position_m, heights_m = self._kinematics.heights(joints_rad)
        return np.concatenate([self._outside_m(position_m), np.maximum(self._floor_m - heights_m, 0.0)])

    def _beyond_limits(self, joints_rad: np.ndarray) -> bool:
        low, high = self._profile.joint_lower_rad, self._profile.joint_upper_rad
        return bool((joints_rad < low).any() or (joints_rad > high).any())

    def _refusal(self, joints_rad: np.ndarray, excess_m: np.ndarray, allowed_m: np.ndarray) -> Refusal | None:
        if self._beyond_limits(joints_rad):
            return Refusal.JOINT_LIMIT
        over = excess_m > allowed_m + _ROUNDING
        if self._boxed and over[:6].any():
            return Refusal.WORKSPACE
        return Refusal.CLEARANCE if over[6:].any() else None
