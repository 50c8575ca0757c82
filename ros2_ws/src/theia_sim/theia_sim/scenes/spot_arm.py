"""How Spot's arm and gripper get from one place to another: bounded joint speeds, the hand by kinematics."""

import numpy as np

from theia_core.actions.poses import Pose
from theia_core.errors import TheiaError
from theia_sim.scenes.spot import ARM_LIMITS_RAD, GRIPPER_OPEN_RAD
from theia_sim.scenes.spot_ik import SpotIK

FASTEST_JOINT_RAD_S = 2.5  # of the commanded arm joints
FASTEST_FINGER_RAD_S = 3.0


class ArmDrive:
    """Setpoints of the servos of arm and gripper, moved at 50 Hz.

    Attributes:
        joints_rad: (6,) where sh0 sh1 el0 el1 wr0 wr1 should be now.
        finger_rad: where the gripper's finger should be now; 0 is closed.
        miss: how far the last pose of `reach_for` is out of reach: distance [m] and angle [rad].
    """

    def __init__(self, ik: SpotIK, joints_rad: np.ndarray, finger_rad: float) -> None:
        """Rest at joints (6,) [rad] and a finger angle [rad]."""
        self._ik = ik
        self._low_rad, self._high_rad = np.array(ARM_LIMITS_RAD).T
        self.miss = (0.0, 0.0)
        self.rest_at(joints_rad, finger_rad)

    def rest_at(self, joints_rad: np.ndarray, finger_rad: float) -> None:
        """Be at joints (6,) [rad] and a finger angle [rad] at once, and stay there."""
        self.joints_rad: np.ndarray = np.array(joints_rad, dtype=float)
        self._joint_goal_rad: np.ndarray = self.joints_rad.copy()
        self.finger_rad = self._finger_goal_rad = float(finger_rad)

    def go_to(self, joints_rad: np.ndarray) -> None:
        """Move to joints (6,) [rad], clipped to their limits.

        Raises:
            TheiaError: if it is not six finite numbers.
        """
        goal = np.asarray(joints_rad, dtype=float)
        if goal.shape != (6,) or not np.all(np.isfinite(goal)):
            raise TheiaError(f"joint targets must be 6 finite angles [rad], not {joints_rad}")
        self._joint_goal_rad = np.clip(goal, self._low_rad, self._high_rad)

    def reach_for(self, body_tform_hand: Pose) -> None:
        """Move the hand to a pose in the body, or as near to it as the joints allow; `miss` says how near."""
        reach = self._ik.solve(body_tform_hand, self.joints_rad)
        self._joint_goal_rad, self.miss = reach.joints_rad, (reach.error_m, reach.error_rad)

    def open_gripper(self, fraction: float) -> None:
        """Open the gripper to a fraction, 0 closed to 1 open.

        Raises:
            TheiaError: if it is not a finite number.
        """
        if not np.isfinite(fraction):
            raise TheiaError(f"the gripper's fraction must be a finite number, not {fraction}")
        self._finger_goal_rad = GRIPPER_OPEN_RAD * float(np.clip(fraction, 0.0, 1.0))

    def advance(self, seconds: float) -> None:
        """Move the setpoints by one tick."""
        most_rad = FASTEST_JOINT_RAD_S * seconds
        left_rad = self._joint_goal_rad - self.joints_rad
        share = min(1.0, most_rad / max(float(np.abs(left_rad).max()), 1e-9))
        self.joints_rad = self.joints_rad + share * left_rad
        most_rad = FASTEST_FINGER_RAD_S * seconds
        self.finger_rad += float(np.clip(self._finger_goal_rad - self.finger_rad, -most_rad, most_rad))
