"""Crops: as many as a photograph is worth, always the same ones, and never blown up."""

import numpy as np
import pytest
from PIL import Image

from theia_core.errors import TheiaError
from theia_training.sources.photographs.crops import crop_count, crops, cutout_crops


def test_larger_photographs_give_more_crops():
    counts = [crop_count(side, side + 200, cutout=False) for side in (160, 330, 600, 900, 3000)]
    assert counts == sorted(counts) and counts[0] >= 4 and counts[0] < counts[-1]


def test_the_first_crop_is_the_whole_photograph(smooth):
    image = smooth(1, 512, 384)
    first = crops(image, 3, seed=5)[0]
    assert first.size == (341, 256)
    reference = np.asarray(image.resize((341, 256), Image.Resampling.BICUBIC), int)
    assert np.abs(np.asarray(first, int) - reference).max() <= 2


def test_a_panorama_gives_its_middle(smooth):
    assert crops(smooth(1, 1200, 300), 1, seed=0)[0].size == (512, 256)


def test_crops_have_a_short_side_of_256_and_a_moderate_aspect(smooth):
    for crop in crops(smooth(2, 640, 480), 20, seed=9)[1:]:
        assert crop.mode == "RGB" and min(crop.size) == 256 and max(crop.size) <= 256 * 4 / 3 + 1


def test_the_same_seed_gives_the_same_crops_and_another_others(smooth):
    image = smooth(3)
    one, again, other = (crops(image, 4, seed=seed) for seed in (1, 1, 2))
    assert [crop.tobytes() for crop in one] == [crop.tobytes() for crop in again]
    assert one[1].tobytes() != other[1].tobytes() and one[1].tobytes() != one[2].tobytes()


def test_small_photographs_are_cut_no_smaller_than_112_pixels():
    # Columns count up by one a pixel, so a crop's range of values is its width.
    ramp = np.broadcast_to(np.arange(170, dtype=np.uint8)[None, :, None], (170, 170, 3))
    for crop in crops(Image.fromarray(np.ascontiguousarray(ramp)), 30, seed=4):
        values = np.asarray(crop)
        assert int(values.max()) - int(values.min()) >= 112 - 3


def test_a_tiny_photograph_is_cut_whole_in_one_direction(smooth):
    assert all(min(crop.size) == 256 for crop in crops(smooth(5, 100, 90), 4, seed=0))


def test_grey_photographs_must_be_converted_first(smooth):
    with pytest.raises(TheiaError, match="RGB photographs, not L"):
        crops(smooth().convert("L"), 2, seed=0)


def disc(side=200, visible=120):
    """A red disc on a transparent canvas that is larger than it."""
    rows, columns = np.mgrid[:side, :side] - side / 2
    layer = np.zeros((side, side, 4), np.uint8)
    layer[np.hypot(rows, columns) < visible / 2] = (250, 10, 10, 255)
    return Image.fromarray(layer)


def test_cut_outs_lie_whole_on_plain_backgrounds():
    pictures = [np.asarray(crop).astype(int) for crop in cutout_crops(disc(), 8, seed=3)]
    for values in pictures:
        assert values.shape == (256, 256, 3)
        red = (values[..., 0] > 200) & (values[..., 1] < 60) & (values[..., 2] < 60)
        extent = max(np.ptp(np.nonzero(red)[0]), np.ptp(np.nonzero(red)[1])) + 1
        assert 0.4 * 256 <= extent <= 240  # 120 visible pixels, enlarged at most twice
        roundness = red.sum() / (np.pi * (extent / 2) ** 2)
        assert roundness > 0.93  # nothing is cut off at the border
    corners = {tuple(values[0, 0]) for values in pictures}
    assert len(corners) == len(pictures)


def test_small_cut_outs_stay_small():
    for crop in cutout_crops(disc(60, 40), 8, seed=3):
        values = np.asarray(crop).astype(int)
        red = (values[..., 0] > 200) & (values[..., 1] < 60) & (values[..., 2] < 60)
        assert np.ptp(np.nonzero(red)[1]) <= 82


def test_cut_outs_need_transparency_and_something_to_see(smooth):
    with pytest.raises(TheiaError, match="need RGBA"):
        cutout_crops(smooth(), 1, seed=0)
    with pytest.raises(TheiaError, match="transparent everywhere"):
        cutout_crops(Image.new("RGBA", (9, 9)), 1, seed=0)
