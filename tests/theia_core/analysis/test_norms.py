"""Norm entropy and outliers: values worked out by hand."""

import numpy as np
import pytest
from scipy.stats import entropy

from theia_core.analysis.norms import (
    BINS,
    norm_entropy,
    norm_entropy_own_range,
    norm_histogram,
    outlier_rate,
    token_norms,
)
from theia_core.errors import TheiaError


def test_norms_are_lengths_of_tokens_in_double_precision():
    tokens = np.array([[[3, 4], [0, 0]], [[60000, 0], [5, 12]]], np.float16)
    np.testing.assert_allclose(token_norms(tokens), [[5, 0], [60000, 13]], rtol=1e-12)


def test_equal_norms_have_no_entropy_even_if_they_differ_by_rounding():
    norms = 13.8564 + np.random.default_rng(0).normal(0, 1e-6, (10, 196))
    assert norm_entropy(np.full((2, 5), 7.0)) == 0.0
    assert norm_entropy(norms) == 0.0


def test_entropy_of_two_and_four_equally_common_norms_is_log_2_and_log_4():
    assert norm_entropy(np.array([1.0, 1.0, 1.5, 1.5])) == pytest.approx(np.log(2))
    assert norm_entropy(np.array([1.0, 1.2, 1.4, 1.6])) == pytest.approx(np.log(4))


def test_entropy_is_at_most_that_of_evenly_spread_norms_and_agrees_with_scipy():
    even = np.linspace(0, 2, 100_001)[:-1]
    assert norm_entropy(even) == pytest.approx(np.log(BINS), abs=1e-3)
    norms = np.random.default_rng(0).gamma(5, size=5000)
    expected, _ = np.histogram(
        np.minimum(norms, 2 * np.median(norms) - 1e-9), BINS, (0, 2 * np.median(norms))
    )
    assert norm_entropy(norms) == pytest.approx(entropy(expected), abs=1e-9)


def test_entropy_over_the_own_range_sees_small_differences_but_not_rounding():
    random = np.random.default_rng(0)
    norms = 13.8564 * (1 + np.linspace(-0.004, 0.004, 10_001))
    assert norm_entropy(norms) == 0.0
    assert norm_entropy_own_range(norms) == pytest.approx(np.log(BINS), abs=1e-3)
    assert norm_entropy_own_range(13.8564 + random.normal(0, 1e-6, 5000)) == 0.0
    assert norm_entropy_own_range(np.zeros(4)) == 0.0


def test_one_extreme_norm_lowers_the_entropy_over_the_own_range_only():
    norms = np.random.default_rng(0).gamma(5, size=5000)
    stretched = np.append(norms, 100 * norms.max())
    assert norm_entropy(stretched) == pytest.approx(norm_entropy(norms), abs=0.01)
    assert norm_entropy_own_range(norms) > 3.5
    assert norm_entropy_own_range(stretched) < 0.1


def test_entropy_does_not_change_when_all_tokens_are_scaled():
    norms = np.random.default_rng(1).gamma(5, size=1000)
    assert norm_entropy(1000 * norms) == pytest.approx(norm_entropy(norms))


def test_norms_beyond_twice_the_median_count_in_the_last_bin():
    shares = norm_histogram(np.array([1.0, 1.0, 1.0, 5.0, 100.0]))
    assert shares[BINS // 2] == pytest.approx(0.6)
    assert shares[-1] == pytest.approx(0.4)
    assert shares.sum() == pytest.approx(1)


def test_outliers_are_tokens_of_more_than_twice_the_median_norm_over_all_images():
    assert outlier_rate(np.array([[1.0, 1.0, 2.0], [1.0, 2.01, 9.0]])) == pytest.approx(1 / 6)
    assert outlier_rate(np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 2.01]])) == pytest.approx(1 / 6)


def test_zero_tokens_are_measured_without_dividing_by_zero():
    assert norm_entropy(np.zeros((2, 3))) == 0.0
    assert outlier_rate(np.zeros((2, 3))) == 0.0


@pytest.mark.parametrize(
    ("tokens", "complaint"),
    [
        (np.zeros((4, 8)), r"\(4, 8\)"),
        (np.zeros((0, 4, 8)), "at least one"),
        (np.full((1, 2, 2), np.inf), "finite"),
    ],
)
def test_what_is_not_tokens_is_refused(tokens, complaint):
    with pytest.raises(TheiaError, match=complaint):
        token_norms(tokens)
