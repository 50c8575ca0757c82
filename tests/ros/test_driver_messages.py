"""Our subset of interbotix_xs_msgs must be the real one on the wire: same fields, order and types."""

import pytest

pytest.importorskip("interbotix_xs_msgs")
from interbotix_xs_msgs import msg, srv

# Names, order and types as xs_sdk (interbotix_ros_core) defines them; a difference changes the type hash.
EXPECTED = {
    msg.JointGroupCommand: {"name": "string", "cmd": "sequence<float>"},
    msg.JointSingleCommand: {"name": "string", "cmd": "float"},
    msg.JointTrajectoryCommand: {
        "cmd_type": "string",
        "name": "string",
        "traj": "trajectory_msgs/JointTrajectory",
    },
    srv.TorqueEnable.Request: {"cmd_type": "string", "name": "string", "enable": "boolean"},
    srv.Reboot.Request: {
        "cmd_type": "string",
        "name": "string",
        "enable": "boolean",
        "smart_reboot": "boolean",
    },
    srv.OperatingModes.Request: {
        "cmd_type": "string",
        "name": "string",
        "mode": "string",
        "profile_type": "string",
        "profile_velocity": "int32",
        "profile_acceleration": "int32",
    },
    srv.MotorGains.Request: {"cmd_type": "string", "name": "string"}
    | dict.fromkeys(["kp_pos", "ki_pos", "kd_pos", "k1", "k2", "kp_vel", "ki_vel"], "int32"),
    srv.RegisterValues.Request: {"cmd_type": "string", "name": "string", "reg": "string", "value": "int32"},
    srv.RegisterValues.Response: {"values": "sequence<int32>"},
    srv.RobotInfo.Request: {"cmd_type": "string", "name": "string"},
    srv.RobotInfo.Response: {
        "mode": "string",
        "profile_type": "string",
        "joint_names": "sequence<string>",
        "joint_ids": "sequence<int16>",
        "joint_lower_limits": "sequence<float>",
        "joint_upper_limits": "sequence<float>",
        "joint_velocity_limits": "sequence<float>",
        "joint_sleep_positions": "sequence<float>",
        "joint_state_indices": "sequence<int16>",
        "num_joints": "int16",
        "name": "sequence<string>",
    },
}


@pytest.mark.parametrize("kind", EXPECTED, ids=lambda kind: kind.__name__)
def test_fields_are_those_of_the_real_driver(kind):
    fields = kind.get_fields_and_field_types()
    assert list(fields.items()) == list(EXPECTED[kind].items())
