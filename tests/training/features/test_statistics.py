"""Streaming moments against NumPy on everything at once."""

import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_training.features.statistics import Moments, merged


def test_streamed_moments_equal_those_of_all_values_at_once():
    random = np.random.default_rng(0)
    # a large offset with a small spread is where a naive sum of squares fails
    maps = [1e4 + random.standard_normal((n, 3)) * [1, 0.01, 5] for n in (10, 1, 300, 7)]
    moments = Moments.empty(3)
    for values in maps:
        moments.update(values.astype(np.float64))
    everything = np.concatenate(maps)
    np.testing.assert_allclose(moments.mean, everything.mean(0), rtol=1e-12)
    np.testing.assert_allclose(moments.std, everything.std(0), rtol=1e-9)


def test_parts_merge_to_the_whole_whatever_their_order():
    random = np.random.default_rng(1)
    parts = []
    for n in (4, 90, 13):
        moments = Moments.empty(2)
        moments.update(random.standard_normal((n, 2)))
        parts.append(moments)
    one, other = merged(parts), merged([Moments.empty(2), *parts[::-1]])
    np.testing.assert_allclose(one.std, other.std, rtol=1e-12)
    assert one.count == other.count == 107


def test_moments_survive_json():
    moments = Moments.empty(2)
    moments.update(np.random.default_rng(2).standard_normal((5, 2)))
    again = Moments.from_dict(moments.to_dict())
    assert again.to_dict() == moments.to_dict()


def test_a_constant_channel_does_not_divide_by_zero():
    moments = Moments.empty(1)
    moments.update(np.full((9, 1), 7.0))
    assert moments.std[0] > 0


def test_no_statistics_of_nothing():
    with pytest.raises(TheiaError, match="no feature map"):
        _ = Moments.empty(1).std
    with pytest.raises(TheiaError, match="no finished shard"):
        merged([])
