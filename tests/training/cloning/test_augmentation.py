"""Augmentation changes a frame as a whole, by no more than it says, and the same way for the same seed."""

import numpy as np
import pytest

from theia_core.encoders import load_encoder
from theia_core.errors import TheiaError
from theia_training.cloning.augmentation import LUMA, Augmentation
from theia_training.cloning.token_cache import TokenCache

FRAME = np.random.default_rng(0).integers(40, 200, (224, 224, 3), dtype=np.uint8)
STILL = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0}


def test_a_shift_moves_the_whole_frame_and_continues_its_border():
    shifts = set()
    for seed in range(40):
        moved = Augmentation(shift_px=3, **STILL).apply(FRAME, np.random.default_rng(seed))
        found = [
            (dx, dy)
            for dx in range(-3, 4)
            for dy in range(-3, 4)
            if np.array_equal(moved[3:-3, 3:-3], FRAME[3 + dy : 221 + dy, 3 + dx : 221 + dx])
        ]
        assert len(found) == 1
        shifts |= set(found)
        if found[0][1] == -3:
            np.testing.assert_array_equal(moved[0, 3:-3], moved[2, 3:-3])
    assert len(shifts) > 20


def test_light_and_colour_stay_within_their_bounds_and_grey_stays_grey():
    grey = np.repeat(np.linspace(90, 120, 224).astype(np.uint8)[None, :, None], 224, 0).repeat(3, 2)
    ratios = []
    for seed in range(30):
        changed = Augmentation(0, 0.2, 0.3, 0.3).apply(grey, np.random.default_rng(seed))
        assert int(np.ptp(changed.astype(int), axis=2).max()) <= 1
        ratios.append(changed.mean() / grey.mean())
    assert 0.79 < min(ratios) < 0.9
    assert 1.1 < max(ratios) < 1.21


def test_saturation_moves_colours_towards_their_luma():
    red = np.full((8, 8, 3), (200, 60, 60), np.uint8)
    spreads = [
        int(np.ptp(Augmentation(0, 0, 0, 0.5).apply(red, np.random.default_rng(s))[0, 0].astype(int)))
        for s in range(30)
    ]
    assert min(spreads) < 100 and max(spreads) > 180


def test_a_turned_hue_keeps_luma_and_makes_any_colour_of_another():
    teal = np.full((8, 8, 3), (90, 150, 140), np.uint8)
    turned = [
        Augmentation(0, 0, 0, 0, hue=0.5).apply(teal, np.random.default_rng(seed))[0, 0].astype(float)
        for seed in range(40)
    ]
    assert np.ptp([LUMA @ colour for colour in turned]) < 3
    assert {int(np.argmax(colour)) for colour in turned} == {0, 1, 2}
    grey = np.full((8, 8, 3), 120, np.uint8)
    changed = Augmentation(0, 0, 0, 0, hue=0.5).apply(grey, np.random.default_rng(3))
    assert np.abs(changed.astype(int) - 120).max() <= 1


def test_no_change_is_the_frame_itself_and_a_seed_decides_the_rest():
    np.testing.assert_array_equal(Augmentation(0, **STILL).apply(FRAME, np.random.default_rng(1)), FRAME)
    first, again, other = (Augmentation().apply(FRAME, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "change", [{"shift_px": 100}, {"shift_px": -1}, {"contrast": 1.0}, {"brightness": -0.1}, {"hue": 0.6}]
)
def test_impossible_changes_are_refused(change):
    with pytest.raises(TheiaError, match=str(next(iter(change.values())))):
        Augmentation(**change)


def test_tokens_of_augmented_frames_are_cached_per_augmentation_beside_the_plain_ones(tmp_path, squares):
    encoder = load_encoder("efficientnet-lite2-s16", threads=1)
    path = tmp_path / "a.mcap"
    path.write_text('{"seed": 1, "steps": 3}')
    reads = []

    def read(path, rate_hz):
        reads.append(path)
        return squares.read(path, rate_hz)

    def episode(augmentation, variants):
        cache = TokenCache(tmp_path / "cache", encoder, 5.0, read, augmentation, variants)
        return cache.episodes([path], progress=False)[0]

    plain, two = episode(None, 0), episode(Augmentation(), 2)
    assert len(reads) == 2
    assert (plain.variants, len(two.variants)) == ((), 2)
    np.testing.assert_array_equal(plain.observed, two.observed)
    frame = encoder.spec.preprocessing.resize(squares.read(path, 5.0).images[2])[0]
    changed = Augmentation().apply(frame, np.random.default_rng([int(two.content_hash, 16), 2, 1]))
    np.testing.assert_array_equal(two.variants[0][2], encoder.encode(changed)[0].astype(np.float16))
    assert not np.array_equal(two.variants[0], two.variants[1])
    np.testing.assert_array_equal(episode(Augmentation(), 2).variants[1], two.variants[1])
    assert len(reads) == 2
    stronger = episode(Augmentation(brightness=0.5), 1)
    assert len(reads) == 3
    assert not np.array_equal(stronger.variants[0], two.variants[0])
