"""Tokens are computed once per image and never go stale."""

import json

import numpy as np
import pytest

from theia_core.encoders import load_encoder
from theia_core.errors import TheiaError
from theia_training.cloning.token_cache import TokenCache

ENCODER = load_encoder("efficientnet-lite2-s16", threads=1)


def write_plan(path, seed, steps=3):
    path.write_text(json.dumps({"seed": seed, "steps": steps}))
    return path


def test_cached_tokens_are_the_encoders_own_in_half_precision(tmp_path, squares):
    path = write_plan(tmp_path / "a.mcap", 1)
    (episode,) = TokenCache(tmp_path / "cache", ENCODER, 5.0, squares.read).episodes([path], progress=False)
    steps = squares.read(path, 5.0)
    expected = np.stack([ENCODER.encode(image)[0] for image in steps.images]).astype(np.float16)
    np.testing.assert_array_equal(episode.observed, expected)
    np.testing.assert_array_equal(episode.joints, steps.joints)
    np.testing.assert_array_equal(episode.actions, steps.actions)
    assert episode.held.dtype == bool
    assert not episode.held.any()


def test_an_episode_is_encoded_once_until_its_content_changes(tmp_path, squares):
    reads = []

    def read(path, rate_hz):
        reads.append(path.name)
        return squares.read(path, rate_hz)

    paths = [write_plan(tmp_path / "a.mcap", 1), write_plan(tmp_path / "b.mcap", 2)]
    cache = TokenCache(tmp_path / "cache", ENCODER, 5.0, read)
    first = cache.episodes(paths, progress=False)
    assert reads == ["a.mcap", "b.mcap"]
    again = TokenCache(tmp_path / "cache", ENCODER, 5.0, read).episodes(paths, progress=False)
    assert reads == ["a.mcap", "b.mcap"]
    np.testing.assert_array_equal(first[1].observed, again[1].observed)
    write_plan(tmp_path / "b.mcap", 3)
    changed = cache.episodes(paths, progress=False)
    assert reads == ["a.mcap", "b.mcap", "b.mcap"]
    assert not np.array_equal(changed[1].actions, first[1].actions)


def test_a_copy_of_an_episode_is_taken_once(tmp_path, squares):
    paths = [write_plan(tmp_path / "a.mcap", 1), write_plan(tmp_path / "copy.mcap", 1)]
    assert (
        len(TokenCache(tmp_path / "cache", ENCODER, 5.0, squares.read).episodes(paths, progress=False)) == 1
    )


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda steps: steps.actions.__setitem__((0, 0), np.nan), "not finite"),
        (lambda steps: steps.images.pop(), "2 images, 3 joint states and 3 actions"),
    ],
)
def test_a_damaged_episode_is_named_and_leaves_nothing_in_the_cache(tmp_path, squares, damage, complaint):
    def read(path, rate_hz):
        steps = squares.read(path, rate_hz)
        damage(steps)
        return steps

    path = write_plan(tmp_path / "a.mcap", 1)
    with pytest.raises(TheiaError, match=complaint):
        TokenCache(tmp_path / "cache", ENCODER, 5.0, read).episodes([path], progress=False)
    assert not list((tmp_path / "cache").rglob("*.safetensors*"))
