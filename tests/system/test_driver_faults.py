"""The guard beside a driver that fails on command: each failure is a fault by name, ended by an order."""

import json

import numpy as np
import pytest

pytest.importorskip("rclpy")
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger
from theia_msgs.msg import GuardState

from theia.nodekit.qos import EVENT, STATE
from theia.topics import GUARD_STATE

pytestmark = [pytest.mark.system, pytest.mark.timed]


class Bench:
    """Robot and guard, no policy; the test breaks the one and gives orders to the other."""

    def __init__(self, system):
        self.system = system
        system.start("theia_sim", "widowx_sim", camera_rate_hz=0.5)
        system.start("theia", "widowx_guard")
        system.bring_up("widowx_guard")
        self.states = system.listen(GuardState, GUARD_STATE, STATE)
        self.joints = system.listen(JointState, "/wx250s/joint_states")
        self.inject = system.node.create_publisher(String, "/widowx_sim/inject", EVENT)
        system.wait_until(
            lambda: self.states and self.joints and self.inject.get_subscription_count(), what="the robot"
        )

    def order(self, name):
        return self.system.call(Trigger, f"/widowx_guard/{name}")

    def arm(self):
        self.system.wait_until(lambda: self.order("arm").success, 10, "arm")
        self.system.wait_until(lambda: self.states[-1].mode == GuardState.ACTIVE, 5, "ACTIVE")

    def fails(self, reason, **fault):
        """Inject a fault and wait until the guard has stopped for it."""
        self.inject.publish(String(data=json.dumps(fault)))
        stopped = lambda: self.states[-1].mode == GuardState.FAULT  # noqa: E731
        self.system.wait_until(stopped, 5, f"FAULT: {reason}")
        assert self.states[-1].reason.startswith(reason)
        refused = self.order("arm")
        assert not refused.success and "clear it first" in refused.message

    def position(self):
        return np.array(self.joints[-1].position[:6])


def test_faults_stop_the_guard_until_they_are_over_and_cleared(system):
    bench = Bench(system)
    bench.arm()
    rested = bench.position()
    for reason, fault in (
        ("no joint_states for 0.1", {"fault": "usb_stall", "seconds": 0.5}),
        ("joint_states has ", {"fault": "short_replies", "count": 3, "values": 4}),
    ):
        bench.fails(reason, **fault)
        system.spin(0.8)
        assert bench.states[-1].mode == GuardState.FAULT, "a fault that is over must not clear itself"
        assert bench.order("clear").success
        bench.arm()
        assert np.abs(bench.position() - rested).max() < 0.03

    bench.fails("joint_states has ", fault="overload", joint="wrist_angle")
    bench.order("clear")
    bench.order("arm")
    system.spin(0.3)
    assert bench.states[-1].mode != GuardState.ACTIVE, "armed with a motor that does not answer"
