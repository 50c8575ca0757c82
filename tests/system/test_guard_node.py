"""The guard node in front of the simulated arm, the test as its policy: what it refuses, when it holds."""

import time

import numpy as np
import pytest

pytest.importorskip("rclpy")
from interbotix_xs_msgs.msg import JointGroupCommand
from theia_msgs.msg import ActionChunk as ChunkMessage
from theia_msgs.msg import GuardState

from theia.messages.chunks import chunk_message
from theia.messages.stamps import Now
from theia.nodekit.qos import EVENT, STATE, STREAM
from theia.topics import ACTION_CHUNK, EXECUTED_ACTION, GUARD_STATE
from theia_core.actions.chunks import ActionChunk

pytestmark = [pytest.mark.system, pytest.mark.timed]

UP = np.array([0.0, 0.0, 0.01, 0.0, 0.0, 0.0, 1.0], np.float32)


class Policy:
    """Sends chunks as a policy would, or as none should."""

    def __init__(self, system):
        self.system = system
        self.sequence = 0
        self.publisher = system.node.create_publisher(ChunkMessage, ACTION_CHUNK, STREAM)
        self.states = system.listen(GuardState, GUARD_STATE, STATE)
        system.wait_until(
            lambda: self.publisher.get_subscription_count() == 1, what="the guard's subscription"
        )

    def send(self, actions=None, *, age_s=0.0, valid_s=0.4, sequence=None, dt_s=0.2):
        self.sequence += 1
        now = Now.of(self.system.node)
        actions = np.tile(UP, (10, 1)) if actions is None else np.asarray(actions, np.float32)
        stamp_s = now.monotonic_s - age_s
        number = self.sequence if sequence is None else sequence
        chunk = ActionChunk(stamp_s, dt_s, actions, stamp_s + valid_s, number, "test@1")
        self.publisher.publish(chunk_message(chunk, now))

    def drive(self, seconds, **chunk):
        """Send a chunk at every 5 Hz step."""
        for _ in range(round(seconds / 0.2)):
            self.send(**chunk)
            self.system.spin(0.2)

    @property
    def state(self):
        return self.states[-1]

    def refused(self, reason):
        return dict(zip(self.state.refusal_names, self.state.refusal_counts, strict=True))[reason]


@pytest.fixture
def policy(system):
    system.start("theia_sim", "widowx_sim", camera_rate_hz=0.5)
    system.start("theia", "widowx_guard")
    system.bring_up("widowx_guard")
    policy = Policy(system)
    system.arm()
    system.wait_until(lambda: policy.state.mode == GuardState.ACTIVE, what="ACTIVE")
    return policy


def test_chunks_move_the_arm_and_bad_ones_are_refused_by_name(system, policy):
    commands = system.listen(JointGroupCommand, "/wx250s/commands/joint_group", 10)
    executed = system.listen(ChunkMessage, EXECUTED_ACTION, EVENT)
    started = np.array(policy.state.commanded)
    policy.drive(1.0)
    assert np.abs(np.array(policy.state.commanded) - started).max() > 0.02
    assert 30 <= len(commands) <= 60, "commands must go out at 50 Hz"
    assert len(executed) >= 4
    assert executed[-1].horizon == 1
    assert np.allclose(executed[-1].data, UP)
    nan = np.tile(UP, (10, 1))
    nan[3, 1] = np.nan
    bad = {
        "non_finite": {"actions": nan},
        "expired": {"age_s": 1.0, "valid_s": 0.4},
        "stale_sequence": {"sequence": 0},
        "malformed": {"dt_s": 0.05},
    }
    for reason, chunk in bad.items():
        system.trigger("/widowx_guard/arm")
        policy.drive(0.2)
        before = policy.refused(reason)
        policy.send(**chunk)
        system.wait_until(lambda r=reason, b=before: policy.refused(r) > b, 3, f"refusal {reason}")
    commanded = np.array([command.cmd for command in commands])
    assert np.all(np.isfinite(commanded))
    system.spin(0.6)
    assert policy.state.mode == GuardState.HOLD
    assert "no action chunk" in policy.state.reason


def test_leaving_the_workspace_is_refused_and_the_arm_stays_inside(system, policy):
    left = np.tile(np.array([0, 0.025, 0, 0, 0, 0, 1], np.float32), (10, 1))
    for _ in range(25):
        policy.drive(0.2, actions=left)
        if policy.refused("workspace") + policy.refused("joint_limit") + policy.refused("ik_failure"):
            break
    assert policy.refused("workspace") > 0, policy.state.reason
    policy.drive(0.2, actions=left)
    stayed = np.array(policy.state.commanded)
    policy.drive(0.6, actions=left)
    assert np.allclose(policy.state.commanded, stayed, atol=1e-6)


def test_fingers_are_kept_off_the_table(system, policy):
    down = np.tile(np.array([0, 0, -0.05, 0, 0, 0, 1], np.float32), (10, 1))
    policy.drive(3.0, actions=down)
    assert policy.refused("clearance") > 0, policy.state.reason


def test_silence_holds_and_the_shut_down_guard_leaves_the_arm_where_it_is(system, policy):
    policy.drive(1.0)
    silent_from_s = time.time()
    system.wait_until(lambda: policy.state.mode == GuardState.HOLD, 3, "HOLD")
    held_at_s = policy.state.header.stamp.sec + policy.state.header.stamp.nanosec * 1e-9
    assert held_at_s - silent_from_s < 0.4
    system.trigger("/widowx_guard/arm")
    policy.drive(0.6)
    process = system.processes["widowx_guard"]
    process.popen.send_signal(2)
    system.wait_until(lambda: process.popen.poll() is not None, 5, "the guard's end")
    assert process.popen.returncode == 0
    assert policy.state.mode == GuardState.HOLD
    assert "shut down" in policy.state.reason
    held = np.array(policy.state.commanded)
    system.spin(1.0)
    from sensor_msgs.msg import JointState

    joints = system.listen(JointState, "/wx250s/joint_states")
    system.spin(0.3)
    assert np.abs(np.array(joints[-1].position[:6]) - held).max() < 0.03


def test_estop_latches_until_cleared(system, policy):
    system.trigger("/widowx_guard/estop")
    policy.drive(0.4)
    assert policy.state.mode == GuardState.ESTOP
    from std_srvs.srv import Trigger

    assert not system.call(Trigger, "/widowx_guard/arm").success
    system.trigger("/widowx_guard/clear")
    system.trigger("/widowx_guard/arm")
    policy.drive(0.4)
    assert policy.state.mode == GuardState.ACTIVE
