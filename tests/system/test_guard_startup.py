"""The guard in front of a driver that comes up in a wrong state; the test itself plays xs_sdk's services."""

import time

import numpy as np
import pytest

pytest.importorskip("rclpy")
from diagnostic_msgs.msg import DiagnosticArray
from interbotix_xs_msgs.srv import OperatingModes, RegisterValues, RobotInfo, TorqueEnable
from lifecycle_msgs.msg import Transition
from sensor_msgs.msg import JointState

from theia.nodekit.qos import DRIVER_STATE
from theia_core.actions.profile import load_profile

pytestmark = [pytest.mark.system, pytest.mark.timed]

PROFILE = load_profile("wx250s")
CONFIGURE, ACTIVATE = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE


class Driver:
    """Just enough of xs_sdk: its modes, registers and joint_states."""

    def __init__(self, system, joints_rad, *, profile_type="time", torque=1):
        self.joints_rad, self.profile_type = np.array(joints_rad), profile_type
        self.registers = {"Torque_Enable": torque, "Profile_Velocity": 2000, "Profile_Acceleration": 300}
        self.orders = []
        node = system.node
        for kind, name, serve in (
            (RobotInfo, "get_robot_info", self._info),
            (RegisterValues, "get_motor_registers", self._read),
            (RegisterValues, "set_motor_registers", self._write),
            (OperatingModes, "set_operating_modes", self._modes),
            (TorqueEnable, "torque_enable", self._torque),
        ):
            node.create_service(kind, f"/wx250s/{name}", serve)
        self._states = node.create_publisher(JointState, "/wx250s/joint_states", DRIVER_STATE)
        node.create_timer(0.01, self._publish)

    def _publish(self):
        names = [*PROFILE.joint_names, "gripper", "left_finger", "right_finger"]
        self._states.publish(JointState(name=names, position=[*self.joints_rad, 0.0, 0.03, -0.03]))

    def _info(self, request, response):
        arm = request.name == "arm"
        response.joint_names = list(PROFILE.joint_names) if arm else ["left_finger"]
        response.mode = "position" if arm else "pwm"
        response.profile_type = self.profile_type if arm else "velocity"
        return response

    def _read(self, request, response):
        response.values = [self.registers[request.reg]] * 6
        return response

    def _write(self, request, response):
        self.registers[request.reg] = request.value
        return response

    def _modes(self, request, response):
        self.orders.append(("modes", request.name, request.mode, request.profile_type))
        self.profile_type = request.profile_type
        return response

    def _torque(self, request, response):
        self.orders.append(("torque", request.name, request.enable))
        self.registers["Torque_Enable"] = int(request.enable)
        return response


def activation(system, timeout_s=15):
    """Activate the guard and return None, or the reason for which it refuses."""
    said = system.listen(DiagnosticArray, "/diagnostics", 50)
    system.start("theia", "widowx_guard")
    system.wait_until(lambda: system.transition("widowx_guard", CONFIGURE), 20, "the guard")
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        if system.transition("widowx_guard", ACTIVATE):
            return None
        errors = [s.message for m in said for s in m.status if s.level == s.ERROR]
        if errors:
            return errors[-1]
        system.spin(0.1)
    return "neither up nor refused"


def test_a_wrong_profile_type_is_set_while_the_arm_sleeps(system):
    driver = Driver(system, PROFILE.sleep_rad + 0.05, profile_type="velocity")
    assert activation(system) is None
    assert driver.orders == [("modes", "arm", "position", "time")]
    assert (driver.registers["Profile_Velocity"], driver.registers["Profile_Acceleration"]) == (40, 20)


def test_a_wrong_profile_type_of_a_raised_arm_is_refused(system):
    driver = Driver(system, PROFILE.neutral_rad, profile_type="velocity")
    refusal = activation(system)
    assert "put it to sleep first" in refusal and "'velocity'" in refusal
    assert driver.orders == []


def test_torque_is_switched_on_at_the_sleep_pose_only(system):
    driver = Driver(system, PROFILE.neutral_rad, torque=0)
    assert "no torque" in activation(system)
    assert driver.orders == []
    driver.joints_rad = PROFILE.sleep_rad.copy()
    system.wait_until(lambda: system.transition("widowx_guard", ACTIVATE), 15, "the guard")
    assert ("torque", "arm", True) in driver.orders
