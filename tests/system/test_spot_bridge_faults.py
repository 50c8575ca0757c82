"""What the bridge does when robot, network or another client fail it, and how the operator recovers."""

import os
import signal
import time

import numpy as np
import pytest

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
pytest.importorskip("rclpy")
pytest.importorskip("theia_msgs")
pytest.importorskip("bosdyn.client", reason="needs the extra `spot`")
from std_srvs.srv import Trigger
from theia_msgs.msg import GuardState

from .spot_operator import Operator
from .spot_simulator import bridge_parameters

pytestmark = [pytest.mark.system, pytest.mark.timed]

LOST = "no state of the robot for | commands do not get through"


def test_estop_of_another_device(operator):
    operator.simulator.inject({"fault": "estop"})
    operator.stops(GuardState.ESTOP, "e-stop: software estop: the e-stop of another device is pressed")
    operator.order("clear")
    answer = operator.system.call(Trigger, "/spot_bridge/arm")
    assert not answer.success
    operator.simulator.inject({"fault": "clear"})
    operator.arm("power_on", "stand", "home")


def test_lease_theft(operator):
    operator.simulator.inject({"fault": "lease_theft", "by": "tablet"})
    place = operator.stops(GuardState.FAULT, "the lease is lost")
    operator.order("clear")
    answer = operator.system.call(Trigger, "/spot_bridge/arm")
    assert not answer.success
    operator.stays(place)
    assert operator.simulator.robot.leases.owner == "tablet"  # taken back on an order only
    operator.arm("take_lease")


def test_clock_of_the_robot_jumps(operator):
    operator.simulator.inject({"fault": "clock_jump", "seconds": 20})
    operator.stops(GuardState.FAULT, "time skew")
    operator.arm("clear")


def test_outage_of_three_seconds(operator):
    operator.simulator.inject({"fault": "outage", "seconds": 3})
    with operator.simulator.robot.lock:
        operator.simulator.robot.leases.timeout_s = 2.0
    place = operator.stops(GuardState.FAULT, LOST)
    operator.system.spin(3.0)
    with operator.simulator.robot.lock:
        operator.simulator.robot.leases.timeout_s = 8.0
    operator.stays(place)
    operator.arm("clear", "take_lease", "power_on", "stand")


def test_behaviour_fault(operator):
    operator.simulator.inject({"fault": "behavior_fault", "cause": "command_failure"})
    operator.stops(GuardState.FAULT, "behaviour fault")
    operator.arm("clear")
    assert not operator.simulator.robot.faults


def test_restart_of_the_robot(operator):
    operator.simulator.inject({"fault": "restart", "seconds": 1.0})
    operator.stops(GuardState.FAULT, LOST)
    answer = operator.system.call(Trigger, "/spot_bridge/power_on")
    assert not answer.success
    operator.arm("clear", "take_lease", "power_on", "stand", "home")


def test_login_is_renewed_when_it_expires(operator):
    operator.simulator.inject({"fault": "token_expiry"})
    operator.system.spin(1.5)
    if operator.state.mode == GuardState.FAULT:  # a slow machine: longer than 0.3 s without a state
        operator.order("clear")
    operator.arm("hold")


def test_bridge_that_is_killed_leaves_a_robot_that_stops(untouched_simulator, system):
    simulator = untouched_simulator
    parameters = bridge_parameters(simulator, estop_timeout_s=1.5)
    process = system.start("theia", "spot_bridge", **parameters)
    operator = Operator(system, simulator)
    system.bring_up("spot_bridge")
    operator.arm("take_lease", "power_on", "stand", "home")
    password = simulator.robot.passwords["user"]
    process.kill()
    killed_s, place = time.monotonic(), operator.place()
    system.wait_until(lambda: not simulator.robot.power.is_on, 15, "power cut")
    print(
        f"killed: power cut after {time.monotonic() - killed_s:.1f} s ({simulator.robot.stop_reason}), "
        f"the hand went {np.linalg.norm(operator.place() - place) * 1000:.0f} mm on before it sank"
    )
    assert "silent" in simulator.robot.stop_reason
    assert password not in system.output()
    assert process.popen.returncode == -signal.SIGKILL
