import numpy as np
import pytest
from scipy.stats import binomtest

from theia_core.errors import TheiaError
from theia_core.evaluation import clopper_pearson, latency_summary


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


def test_impossible_counts_are_refused():
    with pytest.raises(TheiaError, match="6 successes in 5 trials"):
        clopper_pearson(6, 5)


def test_latency_is_summed_up_by_percentiles():
    summary = latency_summary([*range(1, 101), float("nan")])
    assert summary == {"n": 100, "p50": 50.5, "p95": 95.05, "max": 100.0}
    assert latency_summary([]) == {"n": 0}
