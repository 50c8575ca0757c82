"""Power: how many trials it takes to see a difference."""

import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_core.evaluation.barnard import barnard_p_values
from theia_core.evaluation.power import Power, trials_needed


def test_power_is_the_share_of_simulated_evaluations_that_see_the_difference():
    random = np.random.default_rng(0)
    a, b = random.binomial(50, 0.92, 20000), random.binomial(50, 0.72, 20000)
    seen = (barnard_p_values(50)[a, b] <= 0.05).mean()
    assert Power(50).at(0.92, 0.72) == pytest.approx(seen, abs=0.01)


def test_equal_policies_are_seen_to_differ_as_often_as_alpha_at_most():
    power = Power(30, alpha=0.05)
    assert max(power.at(rate, rate) for rate in np.linspace(0, 1, 41)) <= 0.05 + 1e-3


def test_the_papers_trials_see_large_differences_only():
    # 50 trials, as for the door: from 66 % (Theia-B, fully open) only an improvement of about a quarter.
    assert 0.2 <= Power(50).smallest_difference(0.66) <= 0.27
    assert Power(20).smallest_difference(0.95) is None
    assert Power(50).at(0.66, 0.46) < 0.8


def test_trials_needed_have_the_power_and_fewer_have_not():
    needed = trials_needed(0.8, 0.6)
    assert 70 <= needed <= 95  # 82 by the normal approximation with pooled variance (Fleiss)
    assert Power(needed).at(0.8, 0.6) >= 0.8
    assert Power(needed - 5).at(0.8, 0.6) < 0.8
    assert trials_needed(0.90, 0.91) is None


def test_what_cannot_be_planned_is_refused():
    with pytest.raises(TheiaError, match="cannot be told apart"):
        trials_needed(0.5, 0.5)
    with pytest.raises(TheiaError, match="1 to 1000 trials"):
        Power(0)
