import numpy as np
import pytest
from scipy.stats import binomtest

from theia_core.errors import TheiaError
from theia_core.evaluation import clopper_pearson, latency_summary
from theia_core.evaluation.intervals import independent_difference, paired_difference, wilson


@pytest.mark.parametrize(
    ("successes", "trials"), [(0, 5), (5, 5), (1, 5), (33, 50), (46, 50), (50, 50), (3, 1000)]
)
def test_the_interval_is_scipys_exact_one(successes, trials):
    exact = binomtest(successes, trials).proportion_ci(confidence_level=0.95, method="exact")
    assert clopper_pearson(successes, trials) == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_textbook_bounds():
    # rule of three's exact form: n of n successes leave the lower bound (alpha/2)^(1/n)
    assert clopper_pearson(50, 50) == (pytest.approx(0.025 ** (1 / 50)), 1.0)
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_the_interval_covers_the_truth_at_least_as_often_as_it_says():
    random = np.random.default_rng(0)
    for truth in (0.05, 0.5, 0.9):
        draws = random.binomial(50, truth, 4000)
        bounds = {k: clopper_pearson(int(k), 50) for k in set(draws)}
        covered = np.mean([bounds[k][0] <= truth <= bounds[k][1] for k in draws])
        assert covered >= 0.94


@pytest.mark.parametrize(("successes", "trials"), [(0, 5), (5, 5), (33, 50), (81, 263)])
def test_the_score_interval_is_scipys(successes, trials):
    score = binomtest(successes, trials).proportion_ci(confidence_level=0.95, method="wilson")
    assert wilson(successes, trials) == pytest.approx((score.low, score.high), abs=1e-9)


def test_the_paired_difference_equals_newcombes_published_example():
    # Newcombe (1998), table of paired proportions 36, 12, 2, 0 with difference 0.2, method 10.
    assert paired_difference(36, 2, 12, 0) == pytest.approx((0.0569, 0.3404), abs=5e-5)
    low, high = paired_difference(36, 12, 2, 0)
    assert (low, high) == pytest.approx((-0.3404, -0.0569), abs=5e-5)


def test_the_paired_difference_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    probabilities = np.array([0.7, 0.05, 0.15, 0.1])
    draws = random.multinomial(100, probabilities, 1500)
    bounds = [paired_difference(*map(int, draw)) for draw in draws]
    assert 0.93 <= np.mean([low <= 0.1 <= high for low, high in bounds]) <= 0.98


def test_the_score_interval_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    coverage = []
    for truth in np.linspace(0.05, 0.95, 19):
        bounds = [wilson(k, 50) for k in range(51)]
        coverage.append(
            np.mean([bounds[k][0] <= truth <= bounds[k][1] for k in random.binomial(50, truth, 3000)])
        )
    assert min(coverage) >= 0.90 and np.mean(coverage) == pytest.approx(0.95, abs=0.01)


def test_the_independent_difference_equals_newcombes_published_example():
    # Newcombe (1998), comparison of independent proportions, table II: 56/70 against 48/80, method 10.
    assert independent_difference(48, 80, 56, 70) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert independent_difference(0, 10, 10, 10)[1] == 1.0
    with pytest.raises(TheiaError, match="no trials"):
        independent_difference(1, 2, 0, 0)


def test_the_independent_difference_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    for a, b in ((0.9, 0.7), (0.5, 0.5), (0.95, 0.98)):
        draws = zip(random.binomial(50, a, 2000), random.binomial(50, b, 2000), strict=True)
        bounds = [independent_difference(int(k), 50, int(m), 50) for k, m in draws]
        assert 0.93 <= np.mean([low <= b - a <= high for low, high in bounds]) <= 0.995


def test_equal_outcomes_differ_by_nothing_within_an_interval():
    low, high = paired_difference(45, 0, 0, 5)
    assert low <= 0 <= high and high - low < 0.15
    with pytest.raises(TheiaError, match="no trials"):
        paired_difference(0, 0, 0, 0)


def test_impossible_counts_are_refused():
    with pytest.raises(TheiaError, match="6 successes in 5 trials"):
        clopper_pearson(6, 5)


def test_latency_is_summed_up_by_percentiles():
    summary = latency_summary([*range(1, 101), float("nan")])
    assert summary == {"n": 100, "p50": 50.5, "p95": 95.05, "max": 100.0}
    assert latency_summary([]) == {"n": 0}
