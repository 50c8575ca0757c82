"""How the simulated robot executes commands of arm and gripper: by its own clock, within its speed."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy.interpolate import CubicHermiteSpline
from scipy.spatial.transform import Rotation, Slerp

from theia_core.actions.poses import Pose
from theia_sim.spot.body import OPEN_RAD, SpotBody

# Speeds that the simulated robot does not exceed, whatever a command asks for.
HAND_M_S, HAND_RAD_S, GRIPPER_RAD_S, JOINT_RAD_S = 1.0, 3.0, 3.0, 1.5
_NEAR_M, _NEAR_RAD = 0.02, 0.08
_ASTRAY_M, _OUT_OF_REACH_M, _STALLED_S = 0.12, 0.02, 0.5


class Progress(Enum):
    """How far a motion has come."""

    MOVING = "moving"
    DONE = "done"
    CANCELLED = "cancelled"
    STALLED = "stalled"


@dataclass(frozen=True)
class Knots:
    """Poses (n) in a frame, at times (n,) of the robot's clock [s] that increase."""

    frame: str
    times_s: np.ndarray
    poses: tuple[Pose, ...]

    @property
    def end_s(self) -> float:
        """Time of the last knot."""
        return float(self.times_s[-1])

    def at(self, now_s: float) -> Pose:
        """The pose for a time, on a cubic curve; the first before the first knot, the last after the last."""
        if len(self.poses) == 1:
            return self.poses[0]
        now_s = float(np.clip(now_s, self.times_s[0], self.times_s[-1]))
        positions = np.array([pose.position_m for pose in self.poses])
        speeds = np.gradient(positions, self.times_s, axis=0)
        speeds[[0, -1]] = 0.0
        rotations = Rotation.from_matrix([pose.rotation for pose in self.poses])
        return Pose(
            CubicHermiteSpline(self.times_s, positions, speeds)(now_s),
            Slerp(self.times_s, rotations)(now_s).as_matrix(),
        )


class HandMotion:
    """Follows knots with the hand; without an end time, as the robot's: a late command is caught up with.

    Attributes:
        setpoint: commanded pose of the hand in the knots' frame.
        error_m, error_rad: how far the measured hand is from where it should be.
    """

    def __init__(self, knots: Knots, start: Pose, speed_m_s: float, speed_rad_s: float) -> None:
        """Begin at a pose in the knots' frame; a speed of 0 stands for the robot's own."""
        self.knots, self.setpoint = knots, start
        self._speed_m_s = min(speed_m_s or HAND_M_S, HAND_M_S)
        self._speed_rad_s = min(speed_rad_s or HAND_RAD_S, HAND_RAD_S)
        self.progress = Progress.MOVING
        self.error_m = self.error_rad = self._astray_s = 0.0

    def advance(self, now_s: float, seconds: float, body: SpotBody, *, blocked: bool) -> None:
        """Move on by a tick; `blocked`: an obstacle keeps the arm where it is."""
        if self.progress in (Progress.STALLED, Progress.CANCELLED):
            return
        goal = self.knots.at(now_s)
        self.setpoint = step_towards(
            self.setpoint, goal, self._speed_m_s * seconds, self._speed_rad_s * seconds
        )
        if not blocked:
            body.set_hand_target(self.setpoint, self.knots.frame)
        self.error_m, self.error_rad = body.hand_pose(self.knots.frame).distance_to(goal)
        arrived = self.error_m < _NEAR_M and self.error_rad < _NEAR_RAD
        self.progress = Progress.DONE if arrived and now_s >= self.knots.end_s else Progress.MOVING
        astray = self.error_m > _ASTRAY_M or body.hand_miss()[0] > _OUT_OF_REACH_M
        self._astray_s = self._astray_s + seconds if astray else 0.0
        if self._astray_s > _STALLED_S:
            self.progress = Progress.STALLED
            body.stop_arm()


class JointMotion:
    """Ramps the joints to a named position."""

    def __init__(self, goal_rad: np.ndarray, start_rad: np.ndarray) -> None:
        """Begin at joints (6,) [rad]."""
        self._goal, self._setpoint = np.asarray(goal_rad, float), np.array(start_rad, float)
        self.progress = Progress.MOVING

    def advance(self, now_s: float, seconds: float, body: SpotBody, *, blocked: bool) -> None:
        """Move on by a tick."""
        if self.progress is not Progress.MOVING or blocked:
            return
        left = self._goal - self._setpoint
        self._setpoint += left * min(1.0, JOINT_RAD_S * seconds / max(float(np.abs(left).max()), 1e-9))
        body.set_joint_targets(self._setpoint)
        if np.abs(body.joint_state().position[:6] - self._goal).max() < _NEAR_RAD:
            self.progress = Progress.DONE


class GripperMotion:
    """Ramps the gripper to a fraction; one that meets something keeps pushing.

    Attributes:
        setpoint: commanded fraction, 1 is open.
    """

    def __init__(self, goal: float, start: float, speed_rad_s: float) -> None:
        """Begin at a fraction; a speed of 0 stands for the robot's own."""
        self._goal, self.setpoint = float(np.clip(goal, 0.0, 1.0)), start
        self._speed = min(speed_rad_s or GRIPPER_RAD_S, GRIPPER_RAD_S) / abs(OPEN_RAD)
        self.progress = Progress.MOVING

    def advance(self, now_s: float, seconds: float, body: SpotBody, *, blocked: bool) -> None:
        """Move on by a tick."""
        if self.progress is not Progress.MOVING:
            return
        most = self._speed * seconds
        self.setpoint += float(np.clip(self._goal - self.setpoint, -most, most))
        body.set_gripper(self.setpoint)
        if self.setpoint == self._goal:
            self.progress = Progress.DONE


def step_towards(start: Pose, goal: Pose, most_m: float, most_rad: float) -> Pose:
    """The pose on the way from one to another that lies no further than this."""
    way_m = goal.position_m - start.position_m
    turn_rad = Rotation.from_matrix(goal.rotation @ start.rotation.T).as_rotvec()
    part = min(
        1.0,
        most_m / max(float(np.linalg.norm(way_m)), 1e-9),
        most_rad / max(float(np.linalg.norm(turn_rad)), 1e-9),
    )
    turned = Rotation.from_rotvec(part * turn_rad).as_matrix() @ start.rotation
    return Pose(start.position_m + part * way_m, turned)
