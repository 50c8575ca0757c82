"""The simulated WidowX must look like xs_sdk and a camera from the outside."""

import json
import time

import numpy as np
import pytest

pytest.importorskip("rclpy")
from interbotix_xs_msgs.msg import JointGroupCommand, JointSingleCommand
from interbotix_xs_msgs.srv import OperatingModes, Reboot, RegisterValues, RobotInfo, TorqueEnable
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import String
from theia_msgs.msg import GuardState, TaskState
from theia_msgs.srv import ResetScene

from theia.messages.images import check_image
from theia.nodekit.qos import EVENT, STATE
from theia.topics import GUARD_STATE, IMAGE, RESET_SCENE, TASK_STATE
from theia_core.actions.profile import load_profile
from theia_core.tasks import TASKS, get_task

pytestmark = [pytest.mark.system, pytest.mark.timed]


def test_simulated_driver_speaks_xs_sdk(system):
    system.start("theia_sim", "widowx_sim")
    profile = load_profile("wx250s")
    joints = system.listen(JointState, "/wx250s/joint_states", 50)
    images = system.listen(Image, IMAGE)
    system.wait_until(lambda: joints and images, what="joint states and a picture")
    check_image(images[0], 640, 480)

    # joint_states at 100 Hz while pictures are drawn
    joints.clear()
    started_s = time.monotonic()
    system.spin(2.0)
    rate_hz = len(joints) / (time.monotonic() - started_s)
    assert 80 < rate_hz < 105
    assert list(joints[0].name) == [*profile.joint_names, "gripper", "left_finger", "right_finger"]
    assert len(joints[0].position) == len(joints[0].velocity) == len(joints[0].effort) == 9

    # what the driver says of itself
    info = system.call(RobotInfo, "/wx250s/get_robot_info", cmd_type="group", name="arm")
    assert tuple(info.joint_names) == profile.joint_names
    assert (info.mode, info.profile_type, info.num_joints) == ("position", "time", 6)
    assert np.allclose(info.joint_lower_limits, profile.joint_lower_rad, atol=1e-4)
    gripper = system.call(RobotInfo, "/wx250s/get_robot_info", cmd_type="single", name="gripper")
    assert (gripper.mode, list(gripper.joint_names)) == ("pwm", ["left_finger"])

    # registers
    register = {"cmd_type": "group", "name": "arm", "reg": "Profile_Velocity"}
    system.call(RegisterValues, "/wx250s/set_motor_registers", **register, value=40)
    assert list(system.call(RegisterValues, "/wx250s/get_motor_registers", **register).values) == [40] * 6

    # commands, good and bad
    group = system.node.create_publisher(JointGroupCommand, "/wx250s/commands/joint_group", 10)
    single = system.node.create_publisher(JointSingleCommand, "/wx250s/commands/joint_single", 10)
    system.wait_until(
        lambda: group.get_subscription_count() and single.get_subscription_count(), what="xs_sdk"
    )
    goal = profile.neutral_rad + np.array([0.2, 0, 0, 0, 0, 0])
    group.publish(JointGroupCommand(name="arm", cmd=goal.tolist()))
    single.publish(JointSingleCommand(name="gripper", cmd=-250.0))
    system.spin(1.5)
    assert np.abs(np.array(joints[-1].position[:6]) - goal).max() < 0.05
    assert joints[-1].position[7] < 0.02, "the gripper did not close"
    for message in (
        JointGroupCommand(name="arm", cmd=[0.0] * 5),
        JointGroupCommand(name="leg", cmd=goal.tolist()),
        JointGroupCommand(name="arm", cmd=[float("nan")] * 6),
    ):
        group.publish(message)
    system.spin(0.5)
    assert np.abs(np.array(joints[-1].position[:6]) - goal).max() < 0.05

    # without torque the arm sinks; a mode change drops the torque for a moment
    system.call(TorqueEnable, "/wx250s/torque_enable", cmd_type="group", name="arm", enable=False)
    system.spin(0.8)
    assert np.abs(np.array(joints[-1].position[:6]) - goal).max() > 0.1
    system.call(TorqueEnable, "/wx250s/torque_enable", cmd_type="group", name="arm", enable=True)
    group.publish(JointGroupCommand(name="arm", cmd=profile.neutral_rad.tolist()))
    system.spin(1.5)
    before = np.array(joints[-1].position[:6])
    mode = {"cmd_type": "group", "name": "arm", "mode": "position", "profile_type": "time"}
    system.call(OperatingModes, "/wx250s/set_operating_modes", **mode)
    system.spin(1.0)
    assert np.abs(np.array(joints[-1].position[:6]) - before).max() > 0.01, "the raised arm did not sag"


@pytest.mark.parametrize("task", sorted(n for n, t in TASKS.items() if t.robot == "wx250s"))
def test_every_task_has_a_scene_that_the_guard_takes_over(system, task):
    system.start("theia_sim", "widowx_sim", task=task, camera_rate_hz=2.0)
    system.start("theia", "widowx_guard", task=task)
    images = system.listen(Image, IMAGE)
    tasks = system.listen(TaskState, TASK_STATE, EVENT)
    guards = system.listen(GuardState, GUARD_STATE, STATE)
    system.bring_up("widowx_guard")
    system.wait_until(lambda: images, what="a picture")
    check_image(images[0], 640, 480)
    trial = get_task(task).protocol.trials(seed=1, n=1)[0]
    scene = {"task": task, "seed": trial.seed, "cell_json": json.dumps(trial.cell)}
    answer = system.call(ResetScene, RESET_SCENE, **scene)
    assert answer.success, answer.message
    shown = json.loads(answer.params_json)
    assert shown["seed"] == trial.seed
    system.arm()
    system.wait_until(lambda: guards[-1].mode == GuardState.ACTIVE, 5, "ACTIVE")
    system.wait_until(lambda: tasks[-1].seed == trial.seed, 5, "the new scene")
    assert tuple(tasks[-1].stages) == tuple(get_task(task).protocol.stages)
    system.wait_until(lambda: guards[-1].mode == GuardState.HOLD, 5, "HOLD without a policy")
    assert np.abs(np.array(guards[-1].measured[:6]) - np.array(guards[-1].commanded)).max() < 0.05


def test_scene_is_reset_to_what_was_asked_for(system):
    system.start("theia_sim", "widowx_sim", camera_rate_hz=0.5)
    states = system.listen(TaskState, TASK_STATE, EVENT)
    scene = {"task": "door", "seed": 1_000_003, "cell_json": json.dumps({"base_height_m": 0.43})}
    answer = system.call(ResetScene, RESET_SCENE, **scene)
    assert answer.success
    assert json.loads(answer.params_json)["base_height_m"] == 0.43
    states.clear()
    system.wait_until(lambda: len(states) > 2, what="task states")
    assert states[-1].seed == 1_000_003
    assert list(states[-1].stages) == ["open", "fully_open"]
    assert not any(states[-1].reached)
    assert states[-1].elapsed_s < 5
    for wrong, sentence in (
        ({"task": "laundry"}, "runs task 'door', not 'laundry'"),
        ({"cell_json": "{"}, "cell_json is no JSON"),
        ({"cell_json": '{"colour": 1}'}, "colour"),
        ({"cell_json": '{"base_height_m": 3.0}'}, "base_height_m"),
    ):
        answer = system.call(ResetScene, RESET_SCENE, **(scene | wrong))
        assert not answer.success
        assert sentence in answer.message


def test_faults_on_command(system):
    system.start("theia_sim", "widowx_sim", camera_rate_hz=0.5)
    joints = system.listen(JointState, "/wx250s/joint_states", 50)
    inject = system.node.create_publisher(String, "/widowx_sim/inject", EVENT)
    group = system.node.create_publisher(JointGroupCommand, "/wx250s/commands/joint_group", 10)
    system.wait_until(
        lambda: joints and inject.get_subscription_count() and group.get_subscription_count(), what="xs_sdk"
    )
    start = np.array(joints[-1].position[:6])
    register = {"cmd_type": "group", "name": "arm", "reg": "Profile_Velocity"}
    system.call(RegisterValues, "/wx250s/set_motor_registers", **register, value=40)

    def order(**fault):
        joints.clear()
        inject.publish(String(data=json.dumps(fault)))

    order(fault="short_replies", count=10, values=4)
    system.spin(1.0)
    assert [len(j.position) for j in joints].count(4) == 10
    assert len(joints[-1].position) == 9

    order(fault="drop_commands", count=1)
    system.spin(0.3)
    turned = start + np.array([0.3, 0, 0, 0, 0, 0])
    group.publish(JointGroupCommand(name="arm", cmd=turned.tolist()))
    system.spin(0.7)
    assert abs(joints[-1].position[0] - start[0]) < 0.03

    order(fault="usb_stall", seconds=1.0)
    system.spin(0.5)
    joints.clear()
    group.publish(JointGroupCommand(name="arm", cmd=turned.tolist()))
    system.spin(0.2)
    assert not joints
    system.wait_until(lambda: len(joints) > 20, 5, "joint states after the stall")
    assert abs(joints[-1].position[0] - start[0]) < 0.03, "a command of the stall was executed later"

    order(fault="overload", joint="elbow")
    system.wait_until(lambda: joints and len(joints[-1].position) == 2, 5, "short replies")
    system.spin(0.5)
    reboot = {"cmd_type": "group", "name": "all", "enable": True, "smart_reboot": True}
    system.call(Reboot, "/wx250s/reboot_motors", **reboot)
    system.wait_until(lambda: len(joints[-1].position) == 9, 5, "full replies")
    assert abs(joints[-1].position[2] - start[2]) > 0.05, "the overloaded elbow did not sink"
