"""The policy node alone, the test as encoder and arm: pace, stale inputs, and whose tokens it accepts."""

import time
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("rclpy")
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import JointState
from std_msgs.msg import Header
from theia_msgs.msg import ActionChunk, SpatialTokens

from theia.messages.tokens import tokens_message
from theia.nodekit.qos import RECORDING, STREAM
from theia.topics import ACTION_CHUNK, TOKENS
from theia_core.actions.profile import load_profile
from theia_core.policies import load_policy

pytestmark = pytest.mark.system

CONFIGURE, ACTIVATE = 1, 3


class Robot:
    """Publishes tokens at 10 Hz and joint states at 50 Hz, until told to leave something out."""

    def __init__(self, system, policy):
        self.system, self.config = system, policy.config
        self.encoder_id = policy.meta["encoder_id"]
        self.silent = False
        profile = load_profile("wx250s")
        self.joints = JointState(
            name=[*profile.joint_names, "left_finger"], position=[*profile.neutral_rad, 0.03]
        )
        self.tokens_out = system.node.create_publisher(SpatialTokens, TOKENS, STREAM)
        joints_out = system.node.create_publisher(JointState, f"{profile.namespace}/joint_states", STREAM)
        system.node.create_timer(0.1, self.send_tokens)
        system.node.create_timer(0.02, lambda: joints_out.publish(self.joints))

    def send_tokens(self):
        if self.silent:
            return
        header = Header(stamp=self.system.node.get_clock().now().to_msg())
        tokens = np.zeros((self.config.grid[0] * self.config.grid[1], self.config.channels), np.float16)
        self.tokens_out.publish(tokens_message(tokens, self.config.grid, self.encoder_id, header, 1.0))


@pytest.fixture
def robot(system):
    system.start("theia", "bc_policy")
    return Robot(system, load_policy("door"))


def test_chunk_at_every_step_and_an_order_to_hold_when_tokens_stop(system, robot):
    chunks = system.listen(ActionChunk, ACTION_CHUNK, RECORDING)
    system.bring_up("bc_policy")
    system.wait_until(lambda: len(chunks) > 2, what="chunks")
    chunks.clear()
    started_s = time.monotonic()
    system.spin(3.0)
    rate_hz = len(chunks) / (time.monotonic() - started_s)
    assert rate_hz == pytest.approx(5.0, rel=0.15)
    assert all(chunk.horizon > 0 and chunk.dim == 7 for chunk in chunks)
    assert all(later.sequence > chunk.sequence for chunk, later in pairwise(chunks))

    robot.silent = True
    silent_from_s = time.time()
    system.wait_until(lambda: chunks[-1].horizon == 0, 3, "the order to hold")
    stamp = chunks[-1].header.stamp
    assert stamp.sec + stamp.nanosec * 1e-9 - silent_from_s < 0.4
    assert chunks[-1].reason.startswith("tokens stale: encoder silent for 0.3")
    robot.silent = False
    system.wait_until(lambda: chunks[-1].horizon > 0, 3, "new chunks")


def test_tokens_of_another_encoder_are_refused(system, robot):
    diagnostics = system.listen(DiagnosticArray, "/diagnostics", 50)
    right, robot.encoder_id = robot.encoder_id, "other@000000000000"
    assert system.transition("bc_policy", CONFIGURE)
    system.spin(1.0)
    assert not system.transition("bc_policy", ACTIVATE)
    said = [status.message for message in diagnostics for status in message.status]
    assert any("was trained on tokens of" in text and "other@000000000000" in text for text in said)

    robot.encoder_id = right
    system.spin(0.5)
    assert system.transition("bc_policy", ACTIVATE)
    robot.encoder_id = "other@000000000000"
    process = system.processes["bc_policy"]
    deadline_s = time.monotonic() + 5
    while process.popen.poll() is None and time.monotonic() < deadline_s:
        system.spin(0.1)
    assert process.popen.returncode == 2
    assert "bc_policy: error: policy door-bc@" in process.output
