"""What the services need of the physics; `theia_sim.scenes.spot_world.SpotWorld` has it."""

from typing import Protocol

import numpy as np

from theia_core.actions.poses import Pose

OPEN_RAD = -1.5708
WRIST_TFORM_HAND = Pose(np.array([0.19557, 0.0, 0.0]))


class Joints(Protocol):
    """Names and values of the arm's six joints and the gripper (0 closed), (7,) each [rad, rad/s, Nm]."""

    names: tuple[str, ...]
    position: np.ndarray
    velocity: np.ndarray
    effort: np.ndarray


class SpotBody(Protocol):
    """Spot with arm in a scene. Frames are "body", "odom", "vision"; one thread at a time calls it."""

    def step(self, seconds: float) -> None:
        """Advance the physics."""

    def joint_state(self) -> Joints:
        """Measured joints."""

    def body_pose(self, frame: str) -> Pose:
        """Pose of the body in a frame."""

    def hand_pose(self, frame: str) -> Pose:
        """Measured pose of the hand in a frame."""

    def frame_pose(self, frame: str, seen_from: str) -> Pose:
        """Pose of a frame in another."""

    def fiducial_pose(self, frame: str) -> Pose:
        """Pose in a frame of the AprilTag in the scene."""

    def sees_fiducial(self) -> bool:
        """Whether a camera of the body sees it now."""

    def hand_miss(self) -> tuple[float, float]:
        """How far the last target of the hand is out of reach [m, rad]."""

    def gripper_fraction(self) -> float:
        """How far the gripper is open, 0 closed to 1 open."""

    def is_holding_item(self) -> bool:
        """Whether something is between the jaws."""

    def base_stands(self) -> bool:
        """Whether the base has arrived and rests."""

    def base_velocity(self) -> np.ndarray:
        """Velocity (3,) of the base in the body's axes: forward, left [m/s], yaw [rad/s]."""

    def set_joint_targets(self, joints_rad: np.ndarray) -> None:
        """Servo the arm's joints to (6,) [rad]."""

    def set_hand_target(self, pose: Pose, frame: str) -> None:
        """Servo the hand to a pose, as near as it can."""

    def stop_arm(self) -> None:
        """Hold the arm where it is commanded to be."""

    def set_gripper(self, fraction: float) -> None:
        """Servo the gripper: 1 open, 0 closed."""

    def set_base_target(self, pose: Pose, frame: str) -> None:
        """Walk to a place on the floor."""

    def set_base_velocity(self, x_m_s: float, y_m_s: float, yaw_rad_s: float) -> None:
        """Walk with a velocity in the body's axes."""

    def stop_base(self) -> None:
        """Brake and stand."""

    def set_power(self, on: bool) -> None:
        """Motor power; without it the arm sinks."""
