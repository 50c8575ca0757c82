"""What the policy node decides without ROS: which chunk goes out, and when inputs are too old."""

import numpy as np
import pytest

pytest.importorskip("theia_msgs")
from sensor_msgs.msg import JointState
from std_msgs.msg import Header

from theia.messages.stamps import Now, to_time
from theia.messages.tokens import tokens_message
from theia.nodes.observation import NewestObservation
from theia.nodes.receding_horizon import RecedingHorizon

ACTIONS = np.arange(70, dtype=np.float32).reshape(10, 7)
NAMES = ("a", "b")


def horizon(execute_steps=3):
    return RecedingHorizon("door@1", execute_steps, 0.2, "ee_delta")


def test_each_step_sends_what_is_left_of_the_prediction_with_a_new_number_and_expiry():
    chunks = horizon()
    chunks.predicted(ACTIONS, observed_s=10.0)
    sent = [chunks.step(10.1 + 0.2 * step) for step in range(3)]
    assert [chunk.actions[0, 0] for chunk in sent] == [0, 7, 14]
    assert [chunk.stamp_s for chunk in sent] == pytest.approx([10.0, 10.2, 10.4])
    assert [chunk.expires_at_s for chunk in sent] == pytest.approx([10.5, 10.7, 10.9])
    assert [chunk.sequence for chunk in sent] == [1, 2, 3]
    assert chunks.needs_prediction


def test_prediction_shorter_than_the_steps_to_execute_is_used_up():
    chunks = horizon(execute_steps=5)
    chunks.predicted(ACTIONS[:2], 10.0)
    chunks.step(10.0)
    assert not chunks.needs_prediction
    chunks.step(10.2)
    assert chunks.needs_prediction


def test_order_to_hold_forgets_the_prediction_and_continues_the_numbers():
    chunks = horizon()
    chunks.predicted(ACTIONS, 10.0)
    chunks.step(10.0)
    hold = chunks.hold(10.3, "tokens stale")
    assert (hold.horizon, hold.reason, hold.sequence) == (0, "tokens stale", 2)
    assert hold.expires_at_s > 10.3
    assert chunks.needs_prediction


def observed(tokens_at_s=100.0, frame_s=1000.0, joints_at_s=100.0, names=NAMES):
    """An observation whose tokens came at a monotonic time, of a frame taken at a ROS time."""
    observation = NewestObservation(NAMES, silence_s=0.3, max_age_s=0.4)
    if tokens_at_s is not None:
        header = Header(stamp=to_time(frame_s))
        observation.on_tokens(tokens_message(np.ones((4, 3)), (2, 2), "e@1", header, 1.0), tokens_at_s)
    if joints_at_s is not None:
        observation.on_joints(JointState(name=list(names), position=[0.5] * len(names)), joints_at_s)
    return observation


@pytest.mark.parametrize(
    ("observation", "now", "trouble"),
    [
        (observed(), Now(1000.1, 100.1), ""),
        (observed(tokens_at_s=None), Now(1000.1, 100.1), "no tokens yet"),
        (observed(), Now(1000.31, 100.31), "tokens stale: encoder silent for 0.31 s"),
        (observed(frame_s=999.5), Now(1000.1, 100.1), "tokens stale: the camera frame is 0.60 s old"),
        (observed(joints_at_s=None), Now(1000.1, 100.1), "no joint_states yet"),
        (observed(joints_at_s=99.7), Now(1000.1, 100.1), "joints stale: joint_states silent for 0.40 s"),
        (observed(names=("a",)), Now(1000.1, 100.1), "joint_states names 1 of 2 joints"),
    ],
)
def test_stale_or_missing_inputs_are_named(observation, now, trouble):
    assert observation.trouble(now).startswith(trouble)
    assert bool(observation.trouble(now)) == bool(trouble)


def test_fresh_observation_holds_tokens_and_joints():
    taken = observed().take()
    assert taken.tokens.shape == (4, 3)
    assert taken.joints.tolist() == [0.5, 0.5]
    assert taken.joints.dtype == np.float32
