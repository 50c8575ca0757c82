import numpy as np
import pytest

from theia_core.episodes import EpisodeRecorder
from theia_core.episodes.topics import OBSERVED_JOINTS


@pytest.fixture
def record(tmp_path):
    """Records a demonstration that is fit to learn from, with one thing changed at will."""

    def record(name="door_000000.mcap", steps=20, image=None, action=None, **metadata):
        scene = '{"base_height_m": 0.435, "x_position_m": 0.01}'
        recorder = EpisodeRecorder(tmp_path / name, {"task": "door", "randomisation": scene, **metadata})
        for step in range(steps):
            stamp_s = 0.2 * step
            rgb = np.full((48, 64, 3), 60 + 5 * (step % 20), np.uint8)
            values = np.array([0.01, 0, 0, 0, 0, 0, 1], np.float32)
            recorder.image(stamp_s, rgb if image is None else image(step, rgb))
            recorder.joints(stamp_s, OBSERVED_JOINTS, np.zeros(7))
            recorder.action(stamp_s, values if action is None else action(step, values), "scripted-expert")
        recorder.stage(0.2 * steps, "open")
        return recorder.close(success=True)

    return record
