"""How old tokens are when they arrive and what a message of them costs, on the machine of the tests."""

import time

import numpy as np
import pytest

pytest.importorskip("rclpy")
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from theia_msgs.msg import SpatialTokens

from theia.messages.images import image_message
from theia.messages.stamps import to_seconds
from theia.messages.tokens import tokens_array, tokens_message
from theia.nodekit.qos import RECORDING, STREAM
from theia.topics import IMAGE, TOKENS
from theia_core.encoders import load_encoder

pytestmark = [pytest.mark.system, pytest.mark.timed]

RATE_HZ, FRAMES, WINDOWS = 10.0, 40, 4
ENCODE_MS, WAY_MS = 45.0, 15.0
HOPS = ("camera_to_encoder", "waited", "encode", "frame_to_encoded", "publish", "frame_to_tokens")


def test_tokens_of_theia_tiny_arrive_within_60_ms_at_10_hz(system):
    """p95 from the camera's stamp to the tokens' arrival; the best window, as other processes may be busy.

    45 of the 60 ms are the encoder's own. A machine on which the encoder alone, called at the same pace right
    after, needs more than these gets that much more; the way to and fro may take 15 ms on any.
    """
    system.start("theia", "encoder", encoder="theia-tiny", runtime="onnxruntime", threads=2)
    system.bring_up("encoder")
    diagnostics = system.listen(DiagnosticArray, "/diagnostics", 50)
    ages_ms = []

    def received(message):
        now_s = system.node.get_clock().now().nanoseconds * 1e-9
        ages_ms.append((now_s - to_seconds(message.header.stamp)) * 1000)

    system.node.create_subscription(SpatialTokens, TOKENS, received, RECORDING)
    camera = system.node.create_publisher(Image, IMAGE, STREAM)
    system.wait_until(lambda: camera.get_subscription_count() == 1, what="the encoder's subscription")
    rgb = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    alone = load_encoder("theia-tiny", "onnxruntime", threads=2)
    alone.warm_up(480, 640)
    margins_ms = []
    while len(margins_ms) < WINDOWS and min(margins_ms, default=0) >= 0:
        ages_ms.clear()
        for _ in paced(system):
            camera.publish(image_message(rgb, system.node.get_clock().now().to_msg(), "cam"))
        p50, p95, p99 = np.percentile(ages_ms, (50, 95, 99)) if len(ages_ms) >= FRAMES // 2 else [np.inf] * 3
        encode_ms = ENCODE_MS
        if p95 >= ENCODE_MS + WAY_MS:
            encode_ms = max(ENCODE_MS, p95_of_encoding_ms(system, alone, rgb))
        print(
            f"{len(ages_ms)} tokens of {FRAMES}: p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms; "
            f"allowed {encode_ms + WAY_MS:.1f} ms"
        )
        margins_ms.append(p95 - encode_ms - WAY_MS)
    assert float(min(margins_ms)) < 0
    found = {pair.key for message in diagnostics for status in message.status for pair in status.values}
    assert {f"{hop}_ms_{key}" for hop in HOPS for key in ("p50", "p95", "p99")} <= found


def p95_of_encoding_ms(system, encoder, rgb):
    """What the encoder takes in this process at the camera's pace."""
    times_ms = []
    for _ in paced(system):
        started_s = time.perf_counter()
        encoder.encode(rgb)
        times_ms.append((time.perf_counter() - started_s) * 1000)
    return float(np.percentile(times_ms, 95))


def paced(system):
    """As many moments as a window has frames, at the camera's rate; messages are received between them."""
    next_s = time.monotonic()
    for index in range(FRAMES):
        yield index
        next_s += 1 / RATE_HZ
        while (left_s := next_s - time.monotonic()) > 0:
            system.executor.spin_once(timeout_sec=left_s)


def test_a_message_of_tokens_costs_less_than_3_ms(system):
    """Made, published, received and read, in one process over DDS; the median of the best of some tries."""
    tokens = np.random.default_rng(0).normal(0, 1, (196, 768)).astype(np.float16)
    got = []
    system.node.create_subscription(SpatialTokens, TOKENS, got.append, STREAM)
    publisher = system.node.create_publisher(SpatialTokens, TOKENS, STREAM)
    system.wait_until(lambda: publisher.get_subscription_count() == 1, what="our own subscription")
    best = float("inf")
    for _ in range(5):
        times_ms = []
        for _ in range(40):
            got.clear()
            started_s = time.perf_counter()
            publisher.publish(tokens_message(tokens, (14, 14), "e@1", Header(), 0.0))
            deadline_s = time.monotonic() + 1.0
            while not got and time.monotonic() < deadline_s:
                system.executor.spin_once(timeout_sec=0.05)
            if got:
                read = tokens_array(got[-1])
                times_ms.append((time.perf_counter() - started_s) * 1000)
        assert np.array_equal(read, tokens)
        best = min(best, float(np.median(times_ms)))
        if best < 3:
            break
    print(f"a message of 196x768 float16: {best:.2f} ms")
    assert best < 3
