"""One vector per image keeps what it says it keeps."""

import numpy as np
import pytest

from theia_core.analysis.pooling import check_pool, pooled
from theia_core.encoders.spec import EncoderSpec
from theia_core.errors import TheiaError
from theia_core.images import Preprocessing


def spec(grid=(4, 4), special_tokens=2, has_cls=True):
    return EncoderSpec("e", grid, 3, Preprocessing(), "none", "test", special_tokens, has_cls)


def test_special_tokens_are_in_no_pool_but_cls():
    tokens = np.ones((18, 3), np.float32)
    tokens[0], tokens[1] = 7, 1000
    vectors = pooled(tokens, spec())
    assert vectors["mean"].tolist() == vectors["max"].tolist() == [1, 1, 1]
    assert vectors["cls"].tolist() == [7, 7, 7]
    assert vectors["quadrants"].tolist() == [1] * 12


def test_quadrants_are_the_quarters_of_the_image_in_reading_order():
    grid = np.zeros((4, 4, 3), np.float32)
    grid[:2, :2], grid[:2, 2:], grid[2:, :2], grid[2:, 2:] = 1, 2, 3, 4
    vectors = pooled(grid.reshape(16, 3), spec(special_tokens=0, has_cls=False))
    assert vectors["quadrants"].tolist() == [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3
    assert "cls" not in vectors


def test_the_middle_of_an_odd_grid_belongs_to_both_halves():
    grid = np.zeros((3, 3, 1), np.float32)
    grid[1, 1] = 4
    vectors = pooled(grid.reshape(9, 1), spec((3, 3), 0, has_cls=False))
    assert vectors["quadrants"].tolist() == [1, 1, 1, 1]


def test_unknown_pools_and_a_missing_cls_token_are_refused():
    with pytest.raises(TheiaError, match="unknown pooling 'median'"):
        check_pool("median", spec())
    with pytest.raises(TheiaError, match="no CLS token"):
        check_pool("cls", spec(has_cls=False))
