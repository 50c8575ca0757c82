"""The sequential test: it may be looked at after every pair, and still errs as seldom as it says."""

import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_core.evaluation.barnard import barnard_p_values
from theia_core.evaluation.sequential import SequentialTest, evidence


def outcomes(random, pairs, a, b):
    return list(zip(random.random(pairs) < a, random.random(pairs) < b, strict=True))


@pytest.mark.parametrize("rate", [0.5, 0.9])
def test_equal_policies_are_called_different_in_at_most_alpha_of_runs_though_every_pair_is_looked_at(rate):
    random = np.random.default_rng(1)
    runs = 400
    wrong = sum(
        SequentialTest().after(outcomes(random, 200, rate, rate)).verdict in ("a", "b") for _ in range(runs)
    )
    assert wrong / runs <= 0.05
    # The same looks with a test for a fixed number of trials would not do.
    a, b = (np.cumsum(random.random((runs, 100)) < rate, axis=1) for _ in range(2))
    looks = [barnard_p_values(n)[a[:, n - 1], b[:, n - 1]] <= 0.05 for n in range(10, 101, 10)]
    assert np.any(looks, axis=0).mean() > 0.08


def test_a_better_policy_is_found_and_named():
    random = np.random.default_rng(2)
    test = SequentialTest().after(outcomes(random, 200, 0.9, 0.5))
    assert test.verdict == "a" and test.p_value <= 0.05
    assert SequentialTest().after((b, a) for a, b in outcomes(random, 200, 0.9, 0.5)).verdict == "b"


def test_a_decision_once_made_is_kept():
    test = SequentialTest().after([(True, False)] * 12)
    assert test.verdict == "a"
    later = test.after([(False, True)] * 8)
    assert later.verdict == "a" and later.p_value == test.p_value and evidence(12, 8) < 20


def test_the_bet_is_the_mixture_of_likelihood_ratios():
    # 9 wins of 10: the integral of (2t)^9 2(1-t) over Beta(1/2, 1/2), by numerical integration.
    t = (np.arange(200000) + 0.5) / 200000
    density = 1 / np.pi / np.sqrt(t * (1 - t))
    expected = np.mean((2 * t) ** 9 * 2 * (1 - t) * density)
    assert evidence(9, 1) == pytest.approx(expected, rel=1e-4)
    assert evidence(0, 0) == pytest.approx(1.0)


def test_the_end_that_was_planned_leaves_it_undecided():
    test = SequentialTest(most_pairs=3)
    assert test.after([(True, True)] * 2).verdict == ""
    assert test.after([(True, True)] * 3).verdict == "undecided"
    with pytest.raises(TheiaError, match="between 0 and 1"):
        SequentialTest(alpha=5)
