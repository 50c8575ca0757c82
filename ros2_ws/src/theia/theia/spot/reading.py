"""The robot's state as the bridge needs it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from bosdyn.api import robot_state_pb2
from bosdyn.client.frame_helpers import get_a_tform_b
from bosdyn.util import timestamp_to_sec

from theia_core.actions.hand_state import observed_state
from theia_core.actions.poses import Pose

BODY, HAND, ODOM, VISION = "body", "hand", "odom", "vision"
_CHARGE = "locomotion_charge_percentage"
ARM_JOINTS = ("arm0.sh0", "arm0.sh1", "arm0.el0", "arm0.el1", "arm0.wr0", "arm0.wr1")


@dataclass(frozen=True)
class RobotReading:
    """One answer of the robot.

    Attributes:
        robot_s: when it was measured, by the robot's clock.
        joints: name -> position and velocity [rad, rad/s].
        gripper_fraction: 0 closed to 1 open.
        holding: whether the robot thinks that the gripper holds something.
        odom_tform_body, vision_tform_body, odom_tform_hand: poses.
        powered, standing: of the robot.
        estop: why it is e-stopped; empty if it is not.
        faults: number -> cause of the behaviour faults.
        battery_percent: NaN if unknown.
    """

    robot_s: float
    joints: dict[str, tuple[float, float]] = field(repr=False)
    gripper_fraction: float
    holding: bool
    odom_tform_body: Pose
    vision_tform_body: Pose
    odom_tform_hand: Pose
    powered: bool
    standing: bool
    estop: str
    faults: dict[int, str]
    battery_percent: float

    def state(self, odom_tform_root: Pose) -> np.ndarray:
        """What a policy is told, (17,) float32, for a root frame."""
        return observed_state(
            np.array([self.joints[name][0] for name in ARM_JOINTS]),
            self.gripper_fraction,
            odom_tform_root.inverse() @ self.odom_tform_hand,
            self.holding,
        )

    @property
    def trouble(self) -> str:
        """Why the robot does not obey now; empty if it does. An e-stop is not among the reasons."""
        if self.faults:
            return f"behaviour fault: {', '.join(self.faults.values())}; order clear"
        if not self.powered:
            return "the motors have no power; order power_on"
        return "" if self.standing else "the robot does not stand; order stand"


def reading_of(state: Any) -> RobotReading:
    """What a RobotState says."""
    kinematics, tree = state.kinematic_state, state.kinematic_state.transforms_snapshot
    battery = state.power_state.locomotion_charge_percentage
    stopped = [e for e in state.estop_states if e.state == e.STATE_ESTOPPED]
    causes = robot_state_pb2.BehaviorFault.Cause
    return RobotReading(
        robot_s=timestamp_to_sec(kinematics.acquisition_timestamp),
        joints={j.name: (j.position.value, j.velocity.value) for j in kinematics.joint_states},
        gripper_fraction=state.manipulator_state.gripper_open_percentage / 100.0,
        holding=state.manipulator_state.is_gripper_holding_item,
        odom_tform_body=pose_of(get_a_tform_b(tree, ODOM, BODY, validate=False)),
        vision_tform_body=pose_of(get_a_tform_b(tree, VISION, BODY, validate=False)),
        odom_tform_hand=pose_of(get_a_tform_b(tree, ODOM, HAND, validate=False)),
        powered=state.power_state.motor_power_state == robot_state_pb2.PowerState.STATE_ON,
        standing=state.behavior_state.state
        in (robot_state_pb2.BehaviorState.STATE_STANDING, robot_state_pb2.BehaviorState.STATE_STEPPING),
        estop=", ".join(f"{e.name}: {e.state_description}".rstrip(": ") for e in stopped),
        faults={
            fault.behavior_fault_id: causes.Name(fault.cause).removeprefix("CAUSE_").lower()
            for fault in state.behavior_fault_state.faults
        },
        battery_percent=battery.value if state.power_state.HasField(_CHARGE) else np.nan,
    )


def pose_of(transform: Any) -> Pose:
    """A transform of the SDK as a Pose."""
    return Pose(np.array([transform.x, transform.y, transform.z]), np.array(transform.rot.to_matrix()))


def upright(pose: Pose) -> Pose:
    """The gravity-aligned frame at the place of a pose, with its heading."""
    return Pose(pose.position_m, Pose.on_plane(0.0, 0.0, pose.yaw_rad).rotation)
