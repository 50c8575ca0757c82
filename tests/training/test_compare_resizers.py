"""Which resizers may stand in for Pillow's, and which may not."""

import numpy as np
import pytest

# ruff: noqa: E402
torch = pytest.importorskip("torch")

from PIL import Image

from theia_core.encoders import load_encoder
from theia_training.compare_resizers import compare, main


def scene(seed):
    """(480, 640, 3) uint8: blocks with edges and fine texture."""
    rng = np.random.default_rng(seed)
    blocks = np.kron(rng.integers(0, 256, (24, 32, 3)), np.ones((20, 20, 1), int))
    return (0.8 * blocks + rng.integers(0, 52, (480, 640, 3))).astype(np.uint8)


@pytest.fixture(scope="module")
def table():
    encoder = load_encoder("efficientnet-lite2-s16", threads=1)
    return compare([scene(0), scene(1)], 224, encoder)


def test_torch_with_antialias_on_uint8_is_pillow_to_within_a_level(table):
    row = table["torch bilinear, antialias, uint8"]
    assert row["largest_levels"] <= 2
    assert row["differing"] < 0.05
    assert row["mean_token_distance"] < 1e-3


@pytest.mark.parametrize("name", ["cv2 INTER_LINEAR", "torch bilinear, no antialias, uint8"])
def test_resizing_without_antialias_changes_the_tokens(table, name):
    assert table[name]["mean_levels"] > 1
    assert (
        table[name]["mean_token_distance"]
        > 20 * (table["torch bilinear, antialias, uint8"]["mean_token_distance"])
    )


def test_averaging_areas_lies_in_between(table):
    good, area, bad = (
        table[name]["mean_levels"]
        for name in ("torch bilinear, antialias, uint8", "cv2 INTER_AREA", "cv2 INTER_LINEAR")
    )
    assert good < area < bad


def test_pictures_of_the_right_size_are_left_alone_by_all():
    frame = scene(2)[:224, :224]
    assert all(row["largest_levels"] == 0 for row in compare([frame], 224).values())


def test_the_command_prints_a_row_for_each_resizer(tmp_path, capsys):
    Image.fromarray(scene(0)).save(tmp_path / "a.png")
    assert main([str(tmp_path), "--size", "64"]) == 0
    shown = capsys.readouterr().out
    assert "1 images, 640x480" in shown and shown.count("mean_levels") == 4
    assert main([str(tmp_path / "absent")]) == 2
