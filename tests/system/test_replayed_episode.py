"""An episode replayed through the policy node: its inputs are exactly those that training takes."""

import time

import numpy as np
import pytest

pytest.importorskip("rclpy")
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from sensor_msgs.msg import JointState
from std_msgs.msg import Header
from theia_msgs.msg import ActionChunk, SpatialTokens

from theia.messages.stamps import to_seconds, to_time
from theia.messages.tokens import tokens_message
from theia.nodekit.qos import RECORDING, STREAM
from theia.nodes.observation import NewestObservation
from theia.topics import ACTION_CHUNK, TOKENS
from theia_core.actions.profile import load_profile
from theia_core.alignment import align
from theia_core.encoders import load_encoder
from theia_core.episodes import EpisodeRecorder, load_episode, resample
from theia_core.episodes.topics import OBSERVED_JOINTS
from theia_core.policies import load_policy

CONFIGURE, ACTIVATE = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE
# The node is activated a second after the replay has begun: it must have heard something by then.
ACTIVATE_AT_S = 1.0
FRAMES, FRAME_S, JOINT_S, ENCODER_S = 45, 0.1, 0.01, 0.04


@pytest.fixture(scope="module")
def episode(tmp_path_factory):
    """Camera at 10 Hz, joints at 100 Hz, actions at 5 Hz, each on its own clock, and everything moves."""
    rng = np.random.default_rng(5)
    recorder = EpisodeRecorder(tmp_path_factory.mktemp("replay") / "a.mcap", {"task": "door"})
    neutral = np.array([*load_profile("wx250s").neutral_rad, 0.03])
    for index in range(FRAMES):
        picture = np.full((480, 640, 3), rng.integers(0, 255, 3), np.uint8)
        recorder.image(100.0133 + FRAME_S * index, picture)
    for index in range(int(FRAMES * FRAME_S / JOINT_S)):
        recorder.joints(100.0021 + JOINT_S * index, OBSERVED_JOINTS, neutral + 0.3 * np.sin(0.02 * index))
    for step in range(int(FRAMES * FRAME_S / 0.2)):
        recorder.action(100.05 + 0.2 * step, np.full(7, 0.01), "teleop")
    return load_episode(recorder.close())


def timeline(episode, tokens, grid, encoder_id, shift_s):
    """(due [s], message) in the order of arrival: tokens come ENCODER_S after their frame was taken."""
    events = []
    for (stamp_s, _), values in zip(episode.images(), tokens, strict=True):
        header = Header(stamp=to_time(stamp_s + shift_s))
        events.append((stamp_s + ENCODER_S, tokens_message(values, grid, encoder_id, header, 1.0)))
    joints = episode.joints()
    for stamp_s, positions in zip(joints.stamps_s, joints.positions, strict=True):
        message = JointState(name=list(joints.names), position=positions.tolist())
        message.header.stamp = to_time(stamp_s + shift_s)
        events.append((stamp_s + 0.001, message))
    return sorted(events, key=lambda event: event[0])


def test_what_the_node_holds_at_each_step_is_bit_for_bit_what_training_reads(episode):
    """The node's inputs, in the order in which they arrive, against the resampled recording."""
    frames = [image for _, image in episode.images()]
    tokens = [np.full((4, 3), index, np.float16) for index in range(len(frames))]
    observation = NewestObservation(OBSERVED_JOINTS, silence_s=9.0, max_age_s=9.0)
    held = {}
    for due_s, message in timeline(episode, tokens, (2, 2), "e@1", 0.0):
        if isinstance(message, SpatialTokens):
            observation.on_tokens(message, due_s)
            taken = observation.take()
            held[to_seconds(taken.message.header.stamp)] = taken
        else:
            observation.on_joints(message, due_s)
    steps = resample(episode)
    assert len(steps) >= 15
    for step, frame_s in enumerate(steps.image_stamps_s):
        taken = held[min(held, key=lambda stamp_s: abs(stamp_s - frame_s))]
        seen = frames[int(taken.tokens[0, 0])]
        np.testing.assert_array_equal(seen, steps.images[step])
        np.testing.assert_array_equal(taken.joints, steps.joints[step])


@pytest.mark.system
def test_a_recording_replayed_over_dds_gives_the_predictions_of_its_resampled_steps(system, episode):
    """Training's alignment and the policy on one side; the recorded messages and the node on the other."""
    policy = load_policy("door")
    encoder = load_encoder(policy.meta["encoder"], threads=1)
    tokens = [encoder.encode(image)[0].astype(np.float16) for _, image in episode.images()]
    system.start("theia", "bc_policy", execution="receding:1,no-latency-compensation")
    chunks = system.listen(ActionChunk, ACTION_CHUNK, RECORDING)
    out = {
        SpatialTokens: system.node.create_publisher(SpatialTokens, TOKENS, STREAM),
        JointState: system.node.create_publisher(JointState, "/wx250s/joint_states", RECORDING),
    }

    assert system.transition("bc_policy", CONFIGURE)
    client = system.node.create_client(ChangeState, "/bc_policy/change_state")
    system.wait_until(client.service_is_ready, what="the node's services")
    activated = None
    shift_s = time.time() - 100.0
    for due_s, message in timeline(episode, tokens, policy.config.grid, encoder.encoder_id, shift_s):
        while (left_s := due_s + shift_s - time.time()) > 0:
            system.spin(min(left_s, 0.005))
        out[type(message)].publish(message)
        if activated is None and due_s > 100.0 + ACTIVATE_AT_S:
            activated = client.call_async(ChangeState.Request(transition=Transition(id=ACTIVATE)))
    system.spin(0.3)
    assert activated.done() and activated.result().success, system.output()

    joints = episode.joints()
    frame_stamps_s = np.array([stamp_s for stamp_s, _ in episode.images()])
    columns = [joints.names.index(name) for name in OBSERVED_JOINTS]
    expected = []
    for frame_s, values in zip(frame_stamps_s, tokens, strict=True):
        _, row = align(frame_stamps_s, joints.stamps_s, frame_s)
        expected.append(policy.predict(values, joints.positions[row][columns].astype(np.float32)))
    compared = 0
    for chunk in chunks:
        time_s = to_seconds(chunk.header.stamp) - shift_s
        if chunk.horizon == 0 or time_s > frame_stamps_s[-1] - 0.2:
            continue  # an order to hold, and what is left of the last prediction after the replay
        predicted = np.array(chunk.data, np.float32).reshape(chunk.horizon, chunk.dim)
        (frame,) = (index for index, chunk_of in enumerate(expected) if np.array_equal(chunk_of, predicted))
        # Stamps go from one clock to another, between which a busy machine may pause.
        assert abs(frame_stamps_s[frame] - time_s) < 0.5, "the chunk is stamped with its frame"
        compared += 1
    assert compared >= 5, f"{compared} of {len(chunks)} chunks\n{system.output()}"
