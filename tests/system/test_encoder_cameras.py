"""The encoder node with cameras that stop, change, compress or are several, and with an unproven engine."""

import shutil
import time

import numpy as np
import pytest

pytest.importorskip("rclpy")
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import CompressedImage, Image
from theia_msgs.msg import SpatialTokens

from theia.messages.images import image_message, jpeg_array, jpeg_message
from theia.messages.tokens import tokens_array
from theia.nodekit.qos import RECORDING, STREAM
from theia.topics import COMPRESSED_IMAGE, IMAGE, TOKENS
from theia_core.encoders import load_encoder
from theia_core.encoders.registry import shipped_folder
from theia_core.engines.folder import EngineDescription
from theia_core.files import file_sha256

pytestmark = [pytest.mark.system, pytest.mark.timed]

ENCODER = "efficientnet-lite2-s16"
RNG = np.random.default_rng(2)
RGB = RNG.integers(0, 256, (480, 640, 3), np.uint8)


def start(system, **parameters):
    process = system.start(
        "theia", "encoder", **{"encoder": ENCODER, "runtime": "onnxruntime", "threads": 1, **parameters}
    )
    system.bring_up("encoder")
    return process


def sender(system, topic, kind=Image):
    publisher = system.node.create_publisher(kind, topic, STREAM)
    system.wait_until(lambda: publisher.get_subscription_count() == 1, what=f"a subscription of {topic}")

    def send(message=None, rgb=RGB, name="cam"):
        stamp = system.node.get_clock().now().to_msg()
        publisher.publish(image_message(rgb, stamp, name) if message is None else message(stamp))

    return send


def send_until(system, sends, condition, what, timeout_s=20.0):
    """Send again and again until the condition holds."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        for send in sends:
            send()
        system.spin(0.1)
        assert time.monotonic() < deadline_s, f"waiting for {what}\n{system.output()}"


def messages_of(diagnostics):
    return [s.message for m in diagnostics for s in m.status if s.name == "/encoder"]


def test_it_survives_another_resolution_and_a_camera_that_falls_silent(system):
    process = start(system, camera_silence_s=0.5)
    tokens = system.listen(SpatialTokens, TOKENS, RECORDING)
    diagnostics = system.listen(DiagnosticArray, "/diagnostics", 50)
    send = sender(system, IMAGE)
    send_until(system, [send], lambda: tokens, "tokens")
    small = RNG.integers(0, 256, (240, 320, 3), np.uint8)
    send_until(
        system,
        [lambda: send(rgb=small)],
        lambda: any("320x240 instead of 640x480" in text for text in messages_of(diagnostics)),
        "the report of another resolution",
    )
    system.wait_until(
        lambda: any("is the camera on?" in text for text in messages_of(diagnostics)[-3:]),
        what="the report of a silent camera",
    )
    tokens.clear()
    diagnostics.clear()
    send_until(
        system, [send], lambda: tokens and "active" in messages_of(diagnostics)[-1:], "tokens after all that"
    )
    assert process.popen.poll() is None
    assert process.output.count("320x240 instead of 640x480") == 1, "one warning for each cause"


def test_any_size_is_encoded_where_none_is_asked_for(system):
    start(system, width=0, height=0)
    tokens = system.listen(SpatialTokens, TOKENS, RECORDING)
    send = sender(system, IMAGE)
    for size in ((240, 320), (100, 60)):
        tokens.clear()
        rgb = RNG.integers(0, 256, (*size, 3), np.uint8)
        send_until(system, [lambda rgb=rgb: send(rgb=rgb)], lambda: tokens, f"tokens of {size}")


def test_compressed_frames_are_encoded_and_broken_ones_refused(system):
    process = start(system, compressed=True)
    tokens = system.listen(SpatialTokens, TOKENS, RECORDING)
    send = sender(system, COMPRESSED_IMAGE, CompressedImage)
    smooth = np.kron(RGB[:30, :40], np.ones((16, 16, 1), np.uint8))
    send_until(
        system, [lambda: send(lambda stamp: jpeg_message(smooth, stamp, "cam"))], lambda: tokens, "tokens"
    )
    decoded = jpeg_array(jpeg_message(smooth, tokens[-1].header.stamp, "cam"))
    expected = load_encoder(ENCODER, threads=1).encode(decoded)[0]
    assert np.abs(tokens_array(tokens[-1]) - expected).max() <= 2e-3 * np.abs(expected).max()

    def broken(stamp):
        message = jpeg_message(smooth, stamp, "cam")
        message.data = message.data[:40]
        return message

    send_until(
        system, [lambda: send(broken)], lambda: "cannot be decoded" in process.output, "the broken frame"
    )
    assert process.popen.poll() is None


def test_frames_of_two_cameras_are_encoded_together(system):
    start(system, cameras=("left", "right"), together_s=0.2)
    library = load_encoder(ENCODER, threads=1)
    sends, tokens, pictures = [], {}, {}
    for name in ("left", "right"):
        tokens[name] = system.listen(SpatialTokens, f"{TOKENS}/{name}", RECORDING)
        pictures[name] = RNG.integers(0, 256, (480, 640, 3), np.uint8)
        send = sender(system, f"/{name}/image_raw")
        sends.append(lambda send=send, name=name: send(rgb=pictures[name], name=name))
    pairs = []

    def encoded_together():
        # One call of the network has one duration, so equal durations are one batch.
        pairs[:] = [
            (left, right)
            for left in tokens["left"]
            for right in tokens["right"]
            if left.encode_ms == right.encode_ms
        ]
        return bool(pairs)

    send_until(system, sends, encoded_together, "a common batch")
    for message in pairs[0]:
        name = message.header.frame_id
        expected = library.encode(pictures[name])[0]
        assert np.abs(tokens_array(message) - expected).max() <= 2e-3 * np.abs(expected).max()
    tokens["left"].clear()
    send_until(system, sends[:1], lambda: len(tokens["left"]) > 2, "one camera alone")


def test_an_engine_without_a_certificate_is_refused_with_the_reason(system, tmp_path):
    folder = tmp_path / "engine"
    folder.mkdir()
    source = shipped_folder() / "theia-tiny"
    for name in ("model.onnx", "model.safetensors"):
        shutil.copy(source / name, folder / name)
    encoder = load_encoder("theia-tiny", threads=1)
    EngineDescription(
        "onnx",
        "fp32",
        encoder.encoder_id,
        encoder.weights_sha256,
        encoder.spec,
        {name: file_sha256(folder / name) for name in ("model.onnx", "model.safetensors")},
    ).write(folder)
    process = system.start("theia", "encoder", encoder=str(folder))
    diagnostics = system.listen(DiagnosticArray, "/diagnostics", 50)
    assert not system.transition("encoder", 1)
    system.wait_until(
        lambda: any("has no certificate, so it is not used" in text for text in messages_of(diagnostics)),
        what="the reason on /diagnostics",
    )
    assert process.end() == 0
