"""Measures of a recording's streams, and the check's remarks that follow from them."""

import numpy as np
import pytest

from theia_core.episodes import EpisodeRecorder
from theia_core.episodes.check import check_episode
from theia_core.episodes.messages import header, message
from theia_core.episodes.quality import clock_skew_s, idle_ends, sharpness, small_grey, stream_rate
from theia_core.episodes.topics import COMPRESSED_IMAGE, OBSERVED_JOINTS

RNG = np.random.default_rng(3)


def test_dropped_messages_are_counted_and_jitter_is_not():
    stamps_s = 0.1 * np.arange(100) + RNG.uniform(-0.02, 0.02, 100)
    assert stream_rate(stamps_s).dropped == 0
    rate = stream_rate(np.delete(stamps_s, [10, 11, 12, 50]))
    assert rate.dropped == 4
    assert rate.rate_hz == pytest.approx(10, rel=0.1)
    assert rate.longest_gap_s == pytest.approx(0.4, abs=0.05)
    assert stream_rate(np.array([1.0])) == (0.0, 0, 0.0)


def test_a_blurred_picture_is_less_sharp():
    import cv2

    sharp = RNG.integers(0, 255, (480, 640, 3), dtype=np.uint8)
    blurred = cv2.GaussianBlur(sharp, (0, 0), 12)
    assert sharpness(small_grey(blurred)) < 0.1 * sharpness(small_grey(sharp))


def test_idle_ends_know_the_gripper():
    actions = np.zeros((10, 7))
    actions[3, 0] = 0.01
    actions[7:, 6] = 1.0
    assert idle_ends(actions) == (3, 2)
    assert idle_ends(np.zeros((4, 7))) == (4, 0)


def test_skew_is_the_least_delay():
    stamps_s = np.arange(5.0)
    assert clock_skew_s(stamps_s, stamps_s + np.array([0.3, 0.05, 0.2, 0.9, 0.1])) == pytest.approx(0.05)


@pytest.fixture
def recorded(tmp_path):
    """Records 8 s of 10 Hz frames, 50 Hz joints and 5 Hz actions; frames can be left out, blurred or late."""

    def recorded(skip=(), blur=(), skew_s=0.0):
        import cv2

        recorder = EpisodeRecorder(tmp_path / "a.mcap", {"task": "door"})
        picture = RNG.integers(0, 255, (96, 128, 3), dtype=np.uint8)
        for index in range(80):
            if index in skip:
                continue
            rgb = np.roll(picture, index, axis=1)
            rgb = cv2.GaussianBlur(rgb, (0, 0), 9) if index in blur else rgb
            _, jpeg = cv2.imencode(".jpg", rgb)
            fields = {"format": "jpeg", "data": jpeg.reshape(-1)}
            stamp = header(10.05 + 0.1 * index - skew_s)
            frame = message("sensor_msgs/msg/CompressedImage", header=stamp, **fields)
            recorder.write(COMPRESSED_IMAGE, frame, round((10.05 + 0.1 * index) * 1e9))
        for index in range(400):
            recorder.joints(10.0 + 0.02 * index, OBSERVED_JOINTS, np.zeros(7))
        for step in range(38):
            recorder.action(10.1 + 0.2 * step, np.full(7, 0.01), "teleop")
        return [finding.text for finding in check_episode(recorder.close(success=True))]

    return recorded


@pytest.mark.parametrize(
    ("flaw", "remark"),
    [
        ({}, None),
        ({"skip": range(3, 80, 4)}, "camera at 10.0 Hz: 19 of 79 messages are missing"),
        ({"blur": range(20, 24)}, "2 pictures are blurred or covered"),
        ({"skew_s": 0.4}, "the clocks of camera and arm differ by 0.40 s"),
        ({"skew_s": -0.1}, "the clocks of camera and arm differ by 0.10 s"),
    ],
)
def test_the_check_says_what_is_wrong_with_the_streams(recorded, flaw, remark):
    findings = recorded(**flaw)
    assert findings == [] if remark is None else any(remark in text for text in findings), findings
