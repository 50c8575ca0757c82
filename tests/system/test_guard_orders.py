"""The operator's orders on the simulated arm: slow moves, torque, other publishers, overload, the end."""

import json

import numpy as np
import pytest

pytest.importorskip("rclpy")
from interbotix_xs_msgs.msg import JointGroupCommand
from interbotix_xs_msgs.srv import Reboot, RegisterValues
from lifecycle_msgs.msg import Transition
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger
from theia_msgs.msg import GuardState

from theia.nodekit.qos import EVENT, STATE
from theia.topics import GUARD_STATE
from theia_core.actions.profile import load_profile

pytestmark = [pytest.mark.system, pytest.mark.timed]

PROFILE = load_profile("wx250s")


class Operator:
    """Gives orders and sees what comes of them."""

    def __init__(self, system, **parameters):
        self.system = system
        system.start("theia_sim", "widowx_sim", camera_rate_hz=0.5)
        system.start("theia", "widowx_guard", **parameters)
        system.bring_up("widowx_guard")
        self.states = system.listen(GuardState, GUARD_STATE, STATE)
        self.joints = system.listen(JointState, "/wx250s/joint_states")
        system.wait_until(lambda: self.states and self.joints, what="states")

    @property
    def state(self):
        return self.states[-1]

    @property
    def measured(self):
        return np.array(self.joints[-1].position[:6])

    def order(self, name):
        answer = self.system.call(Trigger, f"/widowx_guard/{name}")
        return None if answer.success else answer.message

    def obeyed(self, name, timeout_s=5):
        """Give an order until it is obeyed: after a slow move the motors need a moment for their profile."""
        self.system.wait_until(lambda: self.order(name) is None, timeout_s, name)

    def wait_for(self, mode, words=""):
        seen = lambda: self.state.mode == mode and words in self.state.reason  # noqa: E731
        self.system.wait_until(seen, 20, f"{mode} {words}")

    def profile_ms(self):
        register = {"cmd_type": "group", "name": "arm", "reg": "Profile_Velocity"}
        return list(self.system.call(RegisterValues, "/wx250s/get_motor_registers", **register).values)


def test_slow_moves_have_a_slow_profile_and_torque_goes_only_at_the_sleep_pose(system):
    operator = Operator(system)
    assert operator.profile_ms() == [40] * 6
    operator.obeyed("sleep")
    operator.wait_for(GuardState.HOLD, "moving to the sleep pose")
    assert operator.profile_ms() == [200] * 6
    assert "fall" in operator.order("torque_off") or "moving" in operator.order("torque_off")
    assert "moving" in operator.order("arm")
    operator.wait_for(GuardState.HOLD, "at the sleep pose")
    system.spin(0.5)
    assert np.abs(operator.measured - PROFILE.sleep_rad).max() < 0.05
    operator.obeyed("arm")
    operator.order("hold")
    assert operator.profile_ms() == [40] * 6
    assert "again within" in operator.order("torque_off")
    assert operator.order("torque_off") is None
    operator.wait_for(GuardState.IDLE, "no torque")
    system.wait_until(lambda: "no torque" in (operator.order("arm") or ""), 5, "a refusal")
    operator.obeyed("torque_on")
    operator.obeyed("home", 10)
    operator.wait_for(GuardState.HOLD, "at the neutral pose")
    assert "would fall" in operator.order("torque_off")


def test_another_publisher_is_named_and_stops_the_arm(system):
    operator = Operator(system)
    operator.obeyed("arm")
    intruder = system.node.create_publisher(JointGroupCommand, "/wx250s/commands/joint_group", 10)
    operator.wait_for(GuardState.FAULT, "/system_test")
    operator.order("clear")
    assert "/system_test" in operator.order("arm")
    system.node.destroy_publisher(intruder)
    operator.obeyed("arm", 10)


def test_a_rebooted_motor_does_not_jump_back(system):
    operator = Operator(system)
    operator.obeyed("arm")
    inject = system.node.create_publisher(String, "/widowx_sim/inject", EVENT)
    system.wait_until(lambda: inject.get_subscription_count() > 0, what="the simulator")
    inject.publish(String(data=json.dumps({"fault": "overload", "joint": "shoulder"})))
    operator.wait_for(GuardState.FAULT, "overloaded")
    system.spin(1.5)
    assert len(operator.state.commanded) == 0, "goals are still sent to an arm that is elsewhere"
    assert operator.order("arm") is not None
    reboot = {"cmd_type": "group", "name": "arm", "enable": True, "smart_reboot": True}
    system.call(Reboot, "/wx250s/reboot_motors", **reboot)
    system.wait_until(lambda: len(operator.joints[-1].position) == 9, 5, "all motors")
    system.spin(0.8)
    rested = operator.measured
    operator.order("clear")
    operator.obeyed("arm", 10)
    assert operator.profile_ms() == [40] * 6
    operator.order("hold")
    system.spin(1.0)
    assert np.abs(operator.measured - rested).max() < 0.05


def test_activated_again_the_guard_does_not_send_the_arm_back(system):
    operator = Operator(system)
    operator.obeyed("arm")
    assert system.transition("widowx_guard", Transition.TRANSITION_DEACTIVATE)
    other = system.node.create_publisher(JointGroupCommand, "/wx250s/commands/joint_group", 10)
    elsewhere = operator.measured + 0.3 * np.eye(6)[0]
    goal = JointGroupCommand(name="arm", cmd=elsewhere.tolist())
    system.wait_until(lambda: other.get_subscription_count() > 0, what="the driver")
    other.publish(goal)
    arrived = lambda: np.abs(operator.measured - elsewhere).max() < 0.03  # noqa: E731
    system.wait_until(arrived, 10, "the arm to be elsewhere")
    system.node.destroy_publisher(other)
    system.wait_until(
        lambda: system.transition("widowx_guard", Transition.TRANSITION_ACTIVATE), 10, "the guard"
    )
    system.spin(0.5)
    assert operator.state.mode == GuardState.IDLE
    assert arrived(), "the guard sent the arm back to where it held it once"
    operator.obeyed("arm", 10)
    system.spin(0.3)
    assert arrived()


def test_the_node_goes_to_sleep_at_its_end_if_it_is_told_to(system):
    operator = Operator(system, sleep_on_exit=True)
    operator.obeyed("arm")
    process = system.processes["widowx_guard"]
    process.popen.send_signal(2)
    system.wait_until(lambda: process.popen.poll() is not None, 20, "the guard's end")
    assert process.popen.returncode == 0, process.output
    system.spin(0.5)
    assert np.abs(operator.measured - PROFILE.sleep_rad).max() < 0.05
