"""The policy node alone, the test as encoder and arm: pace, stale inputs, and whose tokens it accepts."""

import time
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("rclpy")
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import JointState
from std_msgs.msg import Header
from theia_msgs.msg import ActionChunk, GuardState, SpatialTokens

from theia.messages.stamps import to_seconds
from theia.messages.tokens import tokens_message
from theia.nodekit.qos import RECORDING, STATE, STREAM
from theia.topics import ACTION_CHUNK, GUARD_STATE, TOKENS
from theia_core.actions.profile import load_profile
from theia_core.policies import load_policy

pytestmark = [pytest.mark.system, pytest.mark.timed]

CONFIGURE, ACTIVATE = 1, 3
DT_S = 0.2


class Robot:
    """Publishes tokens and joint states at 50 Hz, until told to leave something out."""

    def __init__(self, system, policy, tokens_every_s=0.1):
        self.system, self.config = system, policy.config
        self.encoder_id = policy.meta["encoder_id"]
        self.silent = False
        self.sent, self.rng = {}, np.random.default_rng(0)  # time of a frame [s] -> its tokens
        profile = load_profile("wx250s")
        self.joints = JointState(
            name=[*profile.joint_names, "left_finger"], position=[*profile.neutral_rad, 0.03]
        )
        self.tokens_out = system.node.create_publisher(SpatialTokens, TOKENS, STREAM)
        joints_out = system.node.create_publisher(JointState, f"{profile.namespace}/joint_states", STREAM)
        system.node.create_timer(tokens_every_s, self.send_tokens)
        system.node.create_timer(0.02, lambda: joints_out.publish(self.joints))

    def send_tokens(self):
        if self.silent:
            return
        header = Header(stamp=self.system.node.get_clock().now().to_msg())
        rows, columns = self.config.grid
        tokens = self.rng.normal(size=(rows * columns, self.config.channels)).astype(np.float16)
        self.sent[to_seconds(header.stamp)] = tokens
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


def test_ensembled_chunks_average_what_the_predictions_have_for_one_time(system):
    """The test has the policy too: it works out what each prediction said of a time, and their mean."""
    m, horizon = 0.1, 10
    system.start("theia", "bc_policy", execution=f"ensemble:{m}")
    policy = load_policy("door")
    robot = Robot(system, policy, tokens_every_s=DT_S)
    guard = system.node.create_publisher(GuardState, GUARD_STATE, STATE)
    guard.publish(GuardState(mode=GuardState.ACTIVE))
    chunks = system.listen(ActionChunk, ACTION_CHUNK, RECORDING)
    system.bring_up("bc_policy")
    system.wait_until(lambda: len(chunks) >= horizon + 8, what="chunks")
    assert "execution ensemble:0.1" in system.processes["bc_policy"].output
    assert all(later.sequence == chunk.sequence + 1 for chunk, later in pairwise(chunks))

    joints = np.array(robot.joints.position, np.float32)
    predictions, averaged = {}, 0  # time of the observation -> actions, oldest first
    for place, chunk in enumerate(chunks):
        actions = np.array(chunk.data, np.float32).reshape(chunk.horizon, chunk.dim)
        late = horizon - chunk.horizon  # actions that were dropped because their time had passed
        observed_s = min(robot.sent, key=lambda s: abs(s + late * DT_S - to_seconds(chunk.header.stamp)))
        newest = predictions[observed_s] = policy.predict(robot.sent[observed_s], joints)
        np.testing.assert_array_equal(actions[:, 6], newest[late:, 6])  # the gripper is never averaged
        if place < horizon:
            continue  # chunks before the first that was heard may have a say in it
        ages = {s: round((observed_s - s) / DT_S) for s in predictions}
        due = [(age, predictions[s][late + age]) for s, age in ages.items() if late + age < horizon]
        weights = np.exp([m * age for age, _ in due])
        mean = weights @ np.array([action for _, action in due]) / weights.sum()
        np.testing.assert_allclose(actions[0, :6], mean[:6], atol=1e-5)
        averaged += not np.allclose(mean[:6], newest[late, :6], atol=1e-4)
    assert averaged >= 5


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
