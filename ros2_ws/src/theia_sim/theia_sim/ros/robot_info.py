"""What xs_sdk says of its robot on get_robot_info."""

from typing import Any

from theia_core.actions.profile import RobotProfile
from theia_sim.ros.motors import ALL, ARM, GRIPPER, Motors

# Dynamixel ids; 3 and 5 are the second motors of shoulder and elbow.
_MOTOR_IDS = {
    "waist": 1,
    "shoulder": 2,
    "elbow": 4,
    "forearm_roll": 6,
    "wrist_angle": 7,
    "wrist_rotate": 8,
    "gripper": 9,
}
_VELOCITY_LIMIT_RAD_S = 3.14159


def describe(motors: Motors, profile: RobotProfile, chosen: tuple[str, ...], name: str, response: Any) -> Any:
    """Fill the response of RobotInfo for the motors `chosen`, which were asked for as `name`."""
    response.mode, response.profile_type = motors.modes[GRIPPER if chosen == (GRIPPER,) else ARM]
    response.num_joints = len(chosen)
    response.name = [ARM, GRIPPER] if name == ALL else [name]
    rows = [_joint_row(profile, motor) for motor in chosen]
    response.joint_names = [row[0] for row in rows]
    response.joint_lower_limits = [row[1] for row in rows]
    response.joint_upper_limits = [row[2] for row in rows]
    response.joint_sleep_positions = [row[3] for row in rows]
    response.joint_ids = [_MOTOR_IDS[motor] for motor in chosen]
    response.joint_velocity_limits = [_VELOCITY_LIMIT_RAD_S] * len(chosen)
    response.joint_state_indices = [motors.names.index(motor) for motor in chosen]
    return response


def _joint_row(profile: RobotProfile, motor: str) -> tuple[str, float, float, float]:
    """Name, limits and sleep position; the gripper is described by its left finger, as xs_sdk does."""
    if motor == GRIPPER:
        low, high = profile.finger_range_m
        return profile.finger_joint, float(low), float(high), 0.0
    place = profile.joint_names.index(motor)
    low, high = profile.joint_lower_rad[place], profile.joint_upper_rad[place]
    return motor, float(low), float(high), float(profile.sleep_rad[place])
