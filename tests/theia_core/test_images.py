"""Preprocessing equals Pillow's resize and refuses anything that is not uint8 RGB."""

import numpy as np
import pytest
from PIL import Image

from theia_core.errors import TheiaError
from theia_core.images import Preprocessing

FRAMES = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)


def test_a_frame_is_resized_as_pillow_does_and_normalised_per_channel():
    mean, std = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)
    images = Preprocessing(32, mean, std).apply(FRAMES)
    assert images.shape == (2, 3, 32, 32)
    assert images.dtype == np.float32
    for frame, image in zip(FRAMES, images, strict=True):
        pillow = np.asarray(Image.fromarray(frame).resize((32, 32), Image.Resampling.BILINEAR), np.float64)
        expected = (pillow / 255 - mean) / std
        np.testing.assert_allclose(image, expected.transpose(2, 0, 1), atol=2e-6)


def test_the_released_checkpoints_normalisation_maps_black_to_minus_one_and_white_to_one():
    preprocessing = Preprocessing()
    assert np.all(preprocessing.apply(np.zeros((480, 640, 3), np.uint8)) == -1)
    np.testing.assert_allclose(preprocessing.apply(np.full((480, 640, 3), 255, np.uint8)), 1, atol=1e-6)


def test_a_checkerboard_of_single_pixels_becomes_grey_because_the_resize_is_antialiased():
    board = (np.indices((448, 448)).sum(0) % 2 * 255).astype(np.uint8)
    resized = Preprocessing(112).resize(np.repeat(board[..., None], 3, axis=2))[0]
    assert np.ptp(resized[4:-4, 4:-4].astype(int)) <= 4
    assert abs(resized.mean() - 127.5) < 2


def test_a_single_frame_equals_a_batch_of_one_and_a_flipped_view_its_copy():
    preprocessing = Preprocessing(32)
    np.testing.assert_array_equal(preprocessing.apply(FRAMES[0]), preprocessing.apply(FRAMES[:1]))
    flipped = FRAMES[:, :, ::-1]
    np.testing.assert_array_equal(preprocessing.apply(flipped), preprocessing.apply(flipped.copy()))


def test_preprocessing_survives_the_way_through_json():
    preprocessing = Preprocessing(64, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    assert Preprocessing.from_dict(preprocessing.to_dict()) == preprocessing


@pytest.mark.parametrize(
    ("frames", "complaint"),
    [
        (FRAMES.astype(np.float32), "dtype float32"),
        (FRAMES[..., :1], "1 channels"),
        (FRAMES[0, ..., 0], "shape"),
        (np.zeros((2, 3, 48, 64), np.uint8), "64 channels"),
        (np.zeros((0, 64, 3), np.uint8), "above zero"),
        (FRAMES.tolist(), "list"),
    ],
)
def test_wrong_frames_are_refused_with_the_value_named(frames, complaint):
    with pytest.raises(TheiaError, match=complaint):
        Preprocessing(32).apply(frames)


def test_impossible_preprocessing_is_refused():
    with pytest.raises(TheiaError, match="size"):
        Preprocessing(0)
    with pytest.raises(TheiaError, match="above zero"):
        Preprocessing(224, std=(1.0, 0.0, 1.0))
