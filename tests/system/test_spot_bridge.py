"""The bridge as a process of its own, over TLS to the simulated Spot, obeys policy and operator."""

import os

import numpy as np
import pytest

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
pytest.importorskip("rclpy")
pytest.importorskip("theia_msgs")
pytest.importorskip("bosdyn.client", reason="needs the extra `spot`")
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger
from theia_msgs.msg import GuardState

from theia.messages.images import image_array
from theia.messages.stamps import to_seconds
from theia.topics import IMAGE
from theia_core.actions.hand_state import STATE_NAMES

pytestmark = [pytest.mark.system, pytest.mark.timed]


def test_hand_follows_the_policy_in_the_frame_where_the_body_stood(operator):
    operator.system.wait_until(
        lambda: any(s.reason == "" and s.mode == GuardState.ACTIVE for s in operator.guard), what="active"
    )
    state = operator.state
    assert tuple(state.joint_names) == STATE_NAMES
    assert len(state.measured) == 17 and len(state.commanded) == 10
    assert np.linalg.norm(np.array(state.measured[7:10]) - np.array(state.commanded[:3])) < 0.06
    with operator.simulator.robot.lock:
        expected = operator.simulator.env.frame_pose("world", "body") @ operator.simulator.env.hand_pose(
            "world"
        )
    operator.hand.clear()
    operator.system.wait_until(lambda: operator.hand, what="hand_state")
    hand = operator.hand[-1]
    assert np.linalg.norm(np.array(hand.position[7:10]) - expected.position_m) < 0.05
    now_s = operator.system.node.get_clock().now().nanoseconds * 1e-9
    assert abs(to_seconds(hand.header.stamp) - now_s) < 5.0  # not 500 s, by which the robot's clock is ahead


def test_picture_is_upright_and_stamped_in_ros_time(operator):
    pictures = operator.system.listen(Image, IMAGE)
    operator.system.wait_until(lambda: pictures, what="a picture")
    now_s = operator.system.node.get_clock().now().nanoseconds * 1e-9
    assert (pictures[-1].width, pictures[-1].height, pictures[-1].encoding) == (640, 480, "rgb8")
    assert abs(to_seconds(pictures[-1].header.stamp) - now_s) < 10.0
    shown = image_array(pictures[-1]).astype(float)
    with operator.simulator.robot.lock:
        snapshot = operator.simulator.env.snapshot()
    expected = operator.simulator.draw(snapshot, "policy", 640, 480)
    assert np.median(np.abs(shown - expected)) < 3.0  # all but the hand, which moves


def test_policy_that_is_silent_for_long_goes_on_only_on_an_order(operator):
    operator.policy.on = False
    place = operator.stops(GuardState.HOLD, "no action chunk")
    operator.system.spin(2.2)
    operator.stays(place)
    operator.arm()


def test_expired_chunks_are_refused_and_the_robot_stops(operator):
    operator.policy.late_s = 1.0
    refused = operator.refusals()["expired"]
    operator.stops(GuardState.HOLD, "no action chunk")
    assert operator.refusals()["expired"] > refused
    operator.policy.late_s = 0.0
    operator.arm()


def test_hold_stops_and_arm_goes_on(operator):
    operator.order("hold")
    place = operator.stops(GuardState.HOLD, "operator")
    operator.stays(place)
    operator.arm()


def test_estop_of_the_operator_lets_the_robot_sit_down_and_cuts_its_motors(operator):
    operator.order("estop")
    operator.stops(GuardState.ESTOP, "operator")
    operator.system.wait_until(lambda: not operator.simulator.robot.power.is_on, what="power cut")
    answer = operator.system.call(Trigger, "/spot_bridge/arm")
    assert not answer.success and "clear it first" in answer.message
    operator.arm("clear", "power_on", "stand", "home")
