"""What the policy node decides without ROS: when its inputs are too old, and how predictions are executed."""

import numpy as np
import pytest

pytest.importorskip("theia_msgs")
from sensor_msgs.msg import JointState
from std_msgs.msg import Header

from theia.messages.stamps import Now, to_time
from theia.messages.tokens import tokens_message
from theia.nodes.bc_policy import PolicyParameters
from theia.nodes.observation import NewestObservation
from theia_core.actions.execution import ExecutionMode

NAMES = ("a", "b")


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


def test_the_nodes_own_execution_is_the_receding_horizon_of_the_policys_card():
    mode = ExecutionMode.parse(PolicyParameters().execution, execute_steps=3, horizon=10)
    assert mode == ExecutionMode(3, latency_compensation=True)
