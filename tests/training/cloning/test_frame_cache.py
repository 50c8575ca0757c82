"""Frames are decoded and resized once, exactly as the encoder would."""

import json

import numpy as np
import pytest

from theia_core.images import Preprocessing
from theia_training.cloning.demonstrations import Demonstrations
from theia_training.cloning.frame_cache import FrameCache


def write_plan(path, seed, steps=3):
    path.write_text(json.dumps({"seed": seed, "steps": steps}))
    return path


def test_a_cached_frame_is_the_encoders_input_to_the_bit(tmp_path, squares):
    path, preprocessing = write_plan(tmp_path / "a.mcap", 1), Preprocessing()
    (episode,) = FrameCache(tmp_path / "cache", preprocessing, 5.0, squares.read).episodes([path], False)
    steps = squares.read(path, 5.0)
    assert (episode.observed.shape, episode.observed.dtype) == ((3, 224, 224, 3), np.uint8)
    assert isinstance(episode.observed, np.memmap)
    np.testing.assert_array_equal(
        preprocessing.apply(np.asarray(episode.observed)), preprocessing.apply(np.stack(steps.images))
    )
    np.testing.assert_array_equal(episode.actions, steps.actions)
    data = Demonstrations([episode], 4)
    np.testing.assert_array_equal(data.observed(np.array([2, 0])), episode.observed[[2, 0]])


def test_encoders_with_one_resize_share_the_cache_and_another_size_does_not(tmp_path, squares):
    reads, paths = [], [write_plan(tmp_path / f"{name}.mcap", 1) for name in ("a", "copy")]

    def read(path, rate_hz):
        reads.append(path.name)
        return squares.read(path, rate_hz)

    for preprocessing in (Preprocessing(), Preprocessing(mean=(0.1, 0.2, 0.3))):
        assert len(FrameCache(tmp_path, preprocessing, 5.0, read).episodes(paths, False)) == 1
    assert reads == ["a.mcap"]
    (small,) = FrameCache(tmp_path, Preprocessing(96), 5.0, read).episodes(paths, False)
    assert small.observed.shape[1] == 96
    assert reads == ["a.mcap", "a.mcap"]
    assert not list(tmp_path.rglob("*.partial*"))


def test_episodes_that_are_decoded_side_by_side_keep_their_order(tmp_path, squares):
    paths = [write_plan(tmp_path / f"{seed}.mcap", seed, steps=2) for seed in range(6)]
    (tmp_path / "damaged.mcap").write_text("{}")
    found = FrameCache(tmp_path / "cache", Preprocessing(), 5.0, squares.read, 3).episodes(paths, False)
    assert [episode.name for episode in found] == [path.name for path in paths]
    with pytest.raises(KeyError):
        FrameCache(tmp_path / "cache", Preprocessing(), 5.0, squares.read, 3).episodes(
            [tmp_path / "damaged.mcap", *paths], False
        )
