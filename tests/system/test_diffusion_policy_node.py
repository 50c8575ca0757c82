"""The diffusion policy node alone, the test as encoder, bridge and guard: motion never stops."""

from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("torch")
pytest.importorskip("diffusers")
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import JointState
from std_msgs.msg import Header
from theia_msgs.msg import ActionChunk, GuardState, SpatialTokens

from theia.messages.stamps import to_seconds
from theia.messages.tokens import tokens_message
from theia.nodekit.qos import RECORDING, STATE, STREAM
from theia.topics import ACTION_CHUNK, GUARD_STATE, HAND_STATE, TOKENS
from theia_core.actions.hand_state import STATE_NAMES

pytestmark = [pytest.mark.system, pytest.mark.timed]

DT_S = 0.2


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    """Folder of an untrained diffusion policy on small tokens."""
    from theia_core.policies.config import DiffusionConfig
    from theia_core.policies.diffusion_net import DiffusionNet
    from theia_core.policies.normalisation import Scale
    from theia_training.cloning.diffusion_method import DiffusionMethod
    from theia_training.cloning.export_policy import export_policy

    config = DiffusionConfig((14, 14), 8, neck_channels=16, width=32)
    scales = [Scale(np.zeros(n, np.float32), np.ones(n, np.float32)) for n in (8, 17, 10)]
    errors = ("validation_loss", "position_error_mm", "rotation_error_deg", "gripper_wrong")
    counts = dict.fromkeys(("episodes", "steps", "validation_episodes", "validation_steps"), 1)
    description = {
        "name": "untrained",
        "kind": "diffusion",
        "task": "drawer",
        "encoder": "e",
        "encoder_id": "e@123456789abc",
        "action_space": "ee_pose",
        "horizon": 4,
        "dt_s": DT_S,
        "execute_steps": 2,
        "config": config.to_dict(),
        "training": {**counts, "data": "x", "recipe": {}, "last_epoch": dict.fromkeys(errors, 0.0)},
    }
    folder = tmp_path_factory.mktemp("untrained")
    tokens, state = np.zeros((1, 196, 8), np.float32), np.zeros((1, 17), np.float32)
    export_policy(folder, DiffusionMethod(), DiffusionNet(config, *scales).eval(), description, tokens, state)
    return folder


class Spot:
    """Publishes tokens at 10 Hz and hand states at 50 Hz, until told to be silent."""

    def __init__(self, system):
        self.system, self.silent, self.random = system, False, np.random.default_rng(0)
        self.tokens_out = system.node.create_publisher(SpatialTokens, TOKENS, STREAM)
        self.state_out = system.node.create_publisher(JointState, HAND_STATE, STREAM)
        system.node.create_timer(0.1, self.send_tokens)
        system.node.create_timer(0.02, self.send_state)

    def send_tokens(self):
        if not self.silent:
            header = Header(stamp=self.system.node.get_clock().now().to_msg())
            tokens = self.random.normal(size=(196, 8)).astype(np.float16)
            self.tokens_out.publish(tokens_message(tokens, (14, 14), "e@123456789abc", header, 20.0))

    def send_state(self):
        state = JointState(name=list(STATE_NAMES), position=[0.1] * len(STATE_NAMES))
        state.header.stamp = self.system.node.get_clock().now().to_msg()
        self.state_out.publish(state)


def test_chunks_follow_each_other_without_a_gap_and_the_next_is_made_meanwhile(system, policy):
    system.start("theia", "diffusion_policy", policy=str(policy), denoising_steps=5, budget_ms=1000.0)
    spot = Spot(system)
    guard = system.node.create_publisher(GuardState, GUARD_STATE, STATE)
    guard.publish(GuardState(mode=GuardState.ACTIVE))
    chunks = system.listen(ActionChunk, ACTION_CHUNK, RECORDING)
    diagnostics = system.listen(DiagnosticArray, "/diagnostics", 50)
    system.bring_up("diffusion_policy")
    system.wait_until(lambda: len(chunks) >= 24, what="chunks")
    process = system.processes["diffusion_policy"]
    assert "5 denoising steps: encoding and predicting take" in process.output
    assert all((c.dim, c.action_space) == (10, "ee_pose") for c in chunks)
    assert all(later.sequence == chunk.sequence + 1 for chunk, later in pairwise(chunks))

    def values():
        newest = [s for m in diagnostics for s in m.status if s.name == "/diffusion_policy"]
        return {pair.key: pair.value for pair in newest[-1].values} if newest else {}

    diagnostics.clear()
    system.wait_until(lambda: "predict_ms_p95" in values(), what="diagnostics")
    measured = values()
    # On a machine with time to spare no chunk is empty; on a busy one each that was must have been counted.
    empty = sum(chunk.horizon == 0 for chunk in chunks)
    assert empty <= int(measured["gaps"]) <= empty + 1
    moving = [chunk for chunk in chunks if chunk.horizon]
    assert len(moving) >= 0.8 * len(chunks)
    for chunk, later in pairwise(moving):
        # What the next chunk begins with, this one still had: there is always something to go on with.
        assert to_seconds(later.header.stamp) <= to_seconds(chunk.header.stamp) + chunk.horizon * DT_S + 1e-3
    # Two actions of each prediction were executed, and those after the first were made a step ahead.
    assert int(measured["predictions"]) <= 0.8 * len(chunks) + 4
    assert min(chunk.horizon for chunk in moving) < 4
    assert 20.0 < float(measured["encode_and_predict_ms_p50"]) < 1000.0

    spot.silent = True
    system.wait_until(lambda: chunks[-1].horizon == 0, 5, "the order to hold")
    assert chunks[-1].reason.startswith("tokens stale")
    spot.silent = False
    system.wait_until(lambda: chunks[-1].horizon > 0, 5, "new chunks")


def test_more_denoising_steps_than_in_training_fail_the_configuration(system, policy):
    system.start("theia", "diffusion_policy", policy=str(policy), denoising_steps=101)
    assert not system.transition("diffusion_policy", 1)
    system.wait_until(
        lambda: "101 denoising steps are not possible" in system.processes["diffusion_policy"].output,
        5,
        "the reason",
    )
