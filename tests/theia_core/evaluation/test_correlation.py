import numpy as np
import pytest
from scipy import stats

from theia_core.errors import TheiaError
from theia_core.evaluation.correlation import pearson, spearman


def test_the_coefficients_are_scipys():
    random = np.random.default_rng(0)
    x, y = random.random(9), random.random(9)
    y[3] = y[5]
    found = stats.pearsonr(x, y)
    interval = found.confidence_interval()
    assert pearson(x, y).r == pytest.approx(found.statistic)
    assert pearson(x, y).ci95 == pytest.approx((interval.low, interval.high))
    assert spearman(x, y).r == pytest.approx(stats.spearmanr(x, y).statistic)


@pytest.mark.parametrize("correlate", [pearson, spearman])
def test_the_interval_covers_the_truth_about_as_often_as_it_says(correlate):
    random = np.random.default_rng(1)
    rho, covered = 0.6, []
    truth = rho if correlate is pearson else 6 / np.pi * np.arcsin(rho / 2)
    for _ in range(600):
        x = random.normal(size=10)
        y = rho * x + (1 - rho**2) ** 0.5 * random.normal(size=10)
        low, high = correlate(x, y).ci95
        covered.append(low <= truth <= high)
    assert 0.92 <= np.mean(covered) <= 0.985


def test_few_points_have_wide_intervals_and_too_few_none():
    low, high = pearson([1, 2, 3, 4], [1, 3, 2, 4]).ci95
    assert low < -0.5 and high > 0.95
    with pytest.raises(TheiaError, match="needs 4 points"):
        pearson([1, 2, 3], [1, 2, 3])
    with pytest.raises(TheiaError, match="the same for all"):
        spearman([1, 1, 1, 1], [1, 2, 3, 4])
    assert pearson([1, 2, 3, 4], [2, 4, 6, 8]).ci95 == (1.0, 1.0)
