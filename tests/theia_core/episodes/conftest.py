import numpy as np
import pytest

from theia_core.episodes import EpisodeRecorder
from theia_core.episodes.topics import OBSERVED_JOINTS

NAMES = (*OBSERVED_JOINTS[:6], "gripper", "left_finger", "right_finger")


def picture(step, height=48, width=64):
    """A smooth picture that differs from step to step; its red channel's mean tells the step."""
    rows, columns = np.mgrid[0:height, 0:width]
    red = np.full((height, width), 5 * step)
    return np.stack([red, 255 * rows / height, 255 * columns / width], axis=2).astype(np.uint8)


def positions(time_s):
    """Nine joint positions, each a known function of time."""
    return np.sin(time_s) + np.arange(9.0)


def action(step):
    return np.array([0.01 * step, 0, 0, 0, 0, 0, step % 2], np.float32)


@pytest.fixture
def record(tmp_path):
    """Records an episode the way simulation does: everything stamped at the 5 Hz step."""

    def record(name="demo.mcap", steps=10, finish=True, start_s=0.0, **options):
        recorder = EpisodeRecorder(tmp_path / name, {"task": "door", "seed": 4}, **options)
        for step in range(steps):
            stamp_s = start_s + 0.2 * step
            recorder.image(stamp_s, picture(step))
            recorder.joints(stamp_s, NAMES, positions(stamp_s))
            recorder.action(stamp_s, action(step), "expert")
        recorder.stage(start_s + 0.2 * steps, "open")
        return recorder.close(success=True, stages={"open": True}) if finish else recorder.abandon()

    return record
