"""The encoder node alone, with the test as its camera."""

import json
import shutil
import time

import numpy as np
import pytest

pytest.importorskip("rclpy")
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import Image
from theia_msgs.msg import SpatialTokens
from theia_msgs.srv import Encode

from theia.messages.images import image_message
from theia.messages.stamps import to_seconds
from theia.messages.tokens import tokens_array
from theia.nodekit.qos import RECORDING, STREAM
from theia.topics import IMAGE, TOKENS
from theia_core.encoders import load_encoder
from theia_core.encoders.registry import shipped_folder
from theia_core.policies import load_policy, shipped_policies
from theia_core.policies.artefact import OWN_ENCODER

pytestmark = [pytest.mark.system, pytest.mark.timed]

ENCODER = "efficientnet-lite2-s16"
RNG = np.random.default_rng(1)


class Camera:
    """Publishes frames of the right kind, or of a wrong one."""

    def __init__(self, system):
        self.system = system
        self.publisher = system.node.create_publisher(Image, IMAGE, STREAM)
        system.wait_until(
            lambda: self.publisher.get_subscription_count() == 1, what="the encoder's subscription"
        )

    def send(self, rgb, age_s=0.0, **changes):
        stamp = self.system.node.get_clock().now()
        message = image_message(
            rgb, type(stamp)(nanoseconds=stamp.nanoseconds - int(age_s * 1e9)).to_msg(), "cam"
        )
        for name, value in changes.items():
            setattr(message, name, value)
        self.publisher.publish(message)
        return message


def frame(width=640, height=480):
    return RNG.integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture
def encoder(system):
    process = system.start("theia", "encoder", encoder=ENCODER, threads=1)
    system.bring_up("encoder")
    return process


def counts(diagnostics):
    """The encoder's own numbers, as it published them last."""
    for message in reversed(diagnostics):
        for status in message.status:
            if status.name == "/encoder" and status.message == "active":
                return {pair.key: pair.value for pair in status.values}
    return {}


def test_named_auto_it_runs_the_encoder_that_lies_in_its_policys_folder(system, tmp_path):
    policy = shutil.copytree(shipped_policies()["door-efficientnet-lite2-s16"], tmp_path / "policy")
    shutil.copytree(shipped_folder() / ENCODER, policy / "encoder")
    own_id = f"own@{load_encoder(ENCODER).encoder_id[-12:]}"
    for path, entries in (
        (
            policy / "policy.json",
            {"encoder": OWN_ENCODER, "encoder_id": own_id},
        ),
        (policy / "encoder" / "encoder.json", {"name": "own"}),
    ):
        path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))
    system.start("theia", "encoder", policy=str(policy), threads=1)
    system.bring_up("encoder")
    tokens, camera = system.listen(SpatialTokens, TOKENS), Camera(system)
    while not tokens:
        camera.send(frame())
        system.spin(0.3)
    load_policy(policy).check_encoder(tokens[-1].encoder_id)
    assert tokens[-1].encoder_id == own_id


def test_tokens_are_the_library_s_and_carry_the_frame_s_header(system, encoder):
    tokens = system.listen(SpatialTokens, TOKENS)
    camera, rgb = Camera(system), frame()
    sent = camera.send(rgb)
    while not tokens:
        sent = camera.send(rgb)
        system.spin(0.3)
    message = tokens[-1]
    assert message.header.frame_id == "cam"
    assert to_seconds(message.header.stamp) <= to_seconds(sent.header.stamp)
    library = load_encoder(ENCODER, threads=1)
    assert message.encoder_id == library.encoder_id
    assert (message.height, message.width, message.channels) == (*library.spec.grid, library.spec.channels)
    expected = library.encode(rgb[None])[0]
    assert np.abs(tokens_array(message).astype(np.float32) - expected).max() <= 2e-3 * np.abs(expected).max()
    request = image_message(rgb, sent.header.stamp, "cam")
    answer = system.call(Encode, "/encoder/encode", image=request)
    assert answer.success
    assert bytes(answer.tokens.data) == bytes(message.data)


@pytest.mark.parametrize(
    ("rgb", "changes", "sentence"),
    [
        (frame(), {"encoding": "bgr8"}, "the camera sends bgr8 encoding instead of rgb8"),
        (frame(320, 240), {}, "the camera sends 320x240 instead of 640x480"),
    ],
)
def test_wrong_camera_ends_the_node_with_one_sentence(system, encoder, rgb, changes, sentence):
    camera = Camera(system)
    deadline_s = time.monotonic() + 10
    while encoder.popen.poll() is None and time.monotonic() < deadline_s:
        camera.send(rgb, **changes)
        time.sleep(0.1)
    assert encoder.popen.wait(5) == 2
    time.sleep(0.2)
    assert f"encoder: error: {sentence}" in encoder.output
    assert "Traceback" not in encoder.output


def test_late_frames_are_dropped_and_counted_never_queued(system, encoder):
    tokens = system.listen(SpatialTokens, TOKENS, RECORDING)
    diagnostics = system.listen(DiagnosticArray, "/diagnostics", 50)
    camera, rgb = Camera(system), frame()
    sent = 0
    started_s = time.monotonic()
    while True:  # faster than they can be encoded; on a busy machine it takes longer to get ahead
        camera.send(rgb)
        sent += 1
        system.spin(0.002)
        flooded = int(counts(diagnostics).get("frames_dropped", 0)) > 10 if diagnostics else False
        elapsed_s = time.monotonic() - started_s
        if (flooded and elapsed_s > 3.0) or elapsed_s > 20.0:
            break
    last_sent_s = time.time()
    for _ in range(5):
        camera.send(rgb, age_s=2.0)
        system.spin(0.15)
    system.wait_until(
        lambda: int(counts(diagnostics).get("frames_too_old", 0)) > 0, what="the count of late frames"
    )
    system.spin(1.2)
    final = counts(diagnostics)
    assert int(final["frames_dropped"]) > 10
    assert int(final["frames_too_old"]) <= int(final["frames_dropped"])
    assert len(tokens) + int(final["frames_dropped"]) <= sent + 5
    ages_s = [last_sent_s - to_seconds(message.header.stamp) for message in tokens]
    assert min(ages_s) < 0.3, "the newest frame was not encoded"
    assert max(float(final["frame_to_tokens_ms_p95"]), 0) < 400, "frames waited in a queue"


def test_unknown_encoder_fails_to_configure_with_the_reason(system):
    process = system.start("theia", "encoder", encoder="resnet-9000")
    diagnostics = system.listen(DiagnosticArray, "/diagnostics", 50)
    assert not system.transition("encoder", 1)
    system.wait_until(
        lambda: any("resnet-9000" in status.message for message in diagnostics for status in message.status),
        what="the reason on /diagnostics",
    )
    assert process.end() == 0
