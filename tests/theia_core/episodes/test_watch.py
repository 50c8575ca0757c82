"""What the operator is warned of while an episode is being recorded."""

import numpy as np
import pytest

from theia_core.episodes.watch import CAMERA, JOINTS, RecordingWatch

SPACE = 10**12
RNG = np.random.default_rng(1)
MOVE, REST = np.array([0.01, 0, 0, 0, 0, 0, 1.0]), np.array([0, 0, 0, 0, 0, 0, 1.0])


def watched(until_s=6.0, camera_hz=10.0, skip=(), delay_s=0.01, pictures=None, actions=lambda s: MOVE):
    """A watch that has seen `until_s` seconds, with something changed."""
    watch = RecordingWatch(0.0, {CAMERA: 10.0, JOINTS: 50.0})
    for index in range(int(until_s * camera_hz)):
        if index not in skip:
            watch.on_message(CAMERA, index / camera_hz, index / camera_hz + delay_s)
    for index in range(int(until_s * 50)):
        watch.on_message(JOINTS, index / 50, index / 50 + 0.001)
    for step in range(int(until_s * 5)):
        watch.on_action(actions(0.2 * step), 0.2 * step)
        if step % 2:
            picture = RNG.uniform(0, 255, (120, 160)).astype(np.float32)
            watch.on_picture(picture if pictures is None else pictures(0.2 * step, picture), 0.2 * step)
    return watch


STILL = np.random.default_rng(7).uniform(0, 255, (120, 160)).astype(np.float32)


@pytest.mark.parametrize(
    ("change", "cause", "says"),
    [
        ({}, None, ""),
        ({"camera_hz": 5.0}, "camera", "camera gives 5.0 instead of 10 messages a second"),
        ({"skip": range(45, 60)}, "camera", "camera has been silent for 1.6 s"),
        ({"skip": range(5, 50, 3)}, "camera dropped", "15 messages of camera are missing so far"),
        ({"delay_s": 0.4}, "camera clock", "0.40 s behind this machine's clock"),
        ({"delay_s": -0.4}, "camera clock", "0.40 s ahead of this machine's clock"),
        ({"pictures": lambda s, p: STILL if s > 3 else p}, "frozen", "has not changed for"),
        ({"pictures": lambda s, p: p * 0.02}, "dark", "black"),
        ({"pictures": lambda s, p: p if s < 5.7 else p * 0 + 90}, "blur", "blurred or covered"),
        ({"actions": lambda s: MOVE if s < 1 else REST}, "idle", "nothing has moved for 5 s"),
    ],
)
def test_each_trouble_is_named_and_nothing_else(change, cause, says):
    warnings = watched(**change).warnings(6.0, SPACE)
    assert set(warnings) - {f"{CAMERA} dropped"} == ({cause} if cause else set()) - {f"{CAMERA} dropped"}
    if cause:
        assert says in warnings[cause]


def test_a_picture_that_stands_still_is_no_trouble_while_the_arm_does():
    watch = watched(pictures=lambda s, p: STILL, actions=lambda s: MOVE if s < 0.1 else REST)
    assert "frozen" not in watch.warnings(3.0, SPACE)


def test_the_disk_is_measured_in_minutes():
    watch = watched()
    watch.on_bytes(int(27e6 * 6))  # VGA at 30 Hz
    assert "disk" not in watch.warnings(6.0, SPACE)
    assert watch.warnings(6.0, int(8.1e9))["disk"] == "8.1 GB left on the disk, enough for 5 min"
    assert watched().warnings(6.0, 10**8)["disk"] == "0.1 GB left on the disk"


def test_the_counts_go_into_the_metadata():
    assert watched(skip=(20, 21)).counts()[CAMERA] == {"messages": 58, "dropped": 2}
