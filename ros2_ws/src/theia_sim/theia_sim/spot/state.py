"""What the robot says about itself."""

from typing import Any

import numpy as np
from bosdyn.api import estop_pb2, geometry_pb2, robot_state_pb2, robot_state_service_pb2_grpc

from theia_core.actions.poses import Pose
from theia_sim.spot import frames
from theia_sim.spot.answers import Service, answer, set_ns, set_s
from theia_sim.spot.body import WRIST_TFORM_HAND, SpotBody
from theia_sim.spot.robot import SimulatedSpot

_MOTORS = robot_state_pb2.PowerState


class RobotStateService(Service, robot_state_service_pb2_grpc.RobotStateServiceServicer):
    """State and hardware configuration."""

    @answer(robot_state_pb2.RobotStateResponse)
    def GetRobotState(self, request: Any, response: Any) -> None:
        """The state of now."""
        _fill(response.robot_state, self.robot)

    @answer(robot_state_pb2.RobotHardwareConfigurationResponse)
    def GetRobotHardwareConfiguration(self, request: Any, response: Any) -> None:
        """What can be switched: nothing but the motors."""
        response.hardware_configuration.SetInParent()

    @answer(robot_state_pb2.RobotMetricsResponse)
    def GetRobotMetrics(self, request: Any, response: Any) -> None:
        """Nothing is counted."""


def body_tform(body: SpotBody) -> dict[str, Pose]:
    """Poses in the body of the frames that every snapshot has."""
    base, hand = body.body_pose(frames.ODOM), body.hand_pose(frames.BODY)
    flat = Pose(base.position_m, Pose.on_plane(0.0, 0.0, base.yaw_rad).rotation)
    return {
        frames.ODOM: base.inverse(),
        frames.VISION: body.body_pose(frames.VISION).inverse(),
        frames.FLAT_BODY: base.inverse() @ flat,
        frames.HAND: hand,
        "link_wr1": hand @ WRIST_TFORM_HAND.inverse(),
    }


def _fill(state: robot_state_pb2.RobotState, robot: SimulatedSpot) -> None:
    body, now_ns = robot.body, robot.clock.now_ns()
    kinematics = state.kinematic_state
    set_ns(kinematics.acquisition_timestamp, now_ns)
    kinematics.transforms_snapshot.CopyFrom(frames.frame_tree(body_tform(body)))
    joints = body.joint_state()
    for values in zip(joints.names, joints.position, joints.velocity, joints.effort, strict=True):
        joint = kinematics.joint_states.add(name=values[0])
        joint.position.value, joint.velocity.value, joint.load.value = map(float, values[1:])
    for frame, velocity in (
        (frames.VISION, kinematics.velocity_of_body_in_vision),
        (frames.ODOM, kinematics.velocity_of_body_in_odom),
    ):
        forward, left, yaw = body.base_velocity()
        x, y, z = body.body_pose(frame).rotation @ np.array([forward, left, 0.0])
        velocity.linear.CopyFrom(geometry_pb2.Vec3(x=x, y=y, z=z))
        velocity.angular.z = yaw
    hand = state.manipulator_state
    hand.gripper_open_percentage = 100.0 * body.gripper_fraction()
    hand.is_gripper_holding_item = body.is_holding_item()
    _fill_power(state, robot, now_ns)
    for fault in robot.faults.values():
        entry = state.behavior_fault_state.faults.add(behavior_fault_id=fault.number, cause=fault.cause)
        entry.status = entry.STATUS_CLEARABLE if fault.clearable else entry.STATUS_UNCLEARABLE
        set_s(entry.onset_timestamp, fault.onset_s)
    standing = state.behavior_state.STATE_STANDING if robot.standing else state.behavior_state.STATE_NOT_READY
    state.behavior_state.state = standing


def _fill_power(state: robot_state_pb2.RobotState, robot: SimulatedSpot, now_ns: int) -> None:
    power = state.power_state
    set_ns(power.timestamp, now_ns)
    power.motor_power_state = _MOTORS.STATE_OFF
    if robot.power.is_switching:
        power.motor_power_state = _MOTORS.STATE_POWERING_ON
    elif robot.power.is_on:
        power.motor_power_state = _MOTORS.STATE_ON
    power.robot_power_state = _MOTORS.ROBOT_POWER_STATE_ON
    power.shore_power_state = _MOTORS.STATE_OFF_SHORE_POWER
    power.locomotion_charge_percentage.value = robot.charge_percent
    battery = state.battery_states.add(
        identifier="simulated", status=robot_state_pb2.BatteryState.STATUS_DISCHARGING
    )
    set_ns(battery.timestamp, now_ns)
    battery.charge_percentage.value = robot.charge_percent
    battery.estimated_runtime.seconds = round(54 * robot.charge_percent)
    level, why = robot.estop.level()
    estop = state.estop_states.add(name="software estop", type=robot_state_pb2.EStopState.TYPE_SOFTWARE)
    set_ns(estop.timestamp, now_ns)
    estop.state = estop.STATE_NOT_ESTOPPED if level == estop_pb2.ESTOP_LEVEL_NONE else estop.STATE_ESTOPPED
    estop.state_description = why
