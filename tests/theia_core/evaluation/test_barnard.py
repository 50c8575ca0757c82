"""Barnard's test: the published numbers, scipy, and how often it errs; Holm's correction."""

import time

import numpy as np
import pytest
from scipy.stats import barnard_exact

from theia_core.errors import TheiaError
from theia_core.evaluation.barnard import barnard_p, barnard_p_values, binomials, holm


@pytest.mark.parametrize(
    ("theia", "e_radio", "trials", "published"),
    [
        # Theia-B against E-RADIO on the robot: successes behind the rates of the paper's Table 2.
        (46, 36, 50, "0.011"),  # door, open
        (33, 23, 50, "0.049"),  # door, fully open
        (17, 15, 20, "0.53"),  # pick
        (15, 11, 20, "0.23"),  # place
        (20, 16, 20, "0.039"),  # drawer, fine-tuned
    ],
)
def test_published_p_values_to_the_printed_digits(theia, e_radio, trials, published):
    p = barnard_p(theia, trials, e_radio, trials)
    assert f"{p:.{len(published) - 2}f}" == published
    assert barnard_p(e_radio, trials, theia, trials) == pytest.approx(p)


def test_the_frozen_drawer_is_beyond_chance():
    assert barnard_p(17, 20, 3, 20) < 1e-4


@pytest.mark.parametrize(
    "table", [(7, 12, 4, 30), (0, 5, 5, 5), (40, 90, 31, 110), (1, 1, 0, 1), (5, 9, 5, 9)]
)
def test_it_is_scipys_test(table):
    a, n, b, m = table
    expected = barnard_exact([[a, b], [n - a, m - b]]).pvalue
    assert barnard_p(*table) == pytest.approx(expected, abs=2e-6)


def test_equally_extreme_outcomes_count_though_rounding_parts_them():
    # 4/7 against 2/11 is as extreme as 3/7 against 9/11, to the last bit but one; scipy 1.17 leaves it out
    # and finds 0.1011700.
    table = barnard_p_values(11)
    assert barnard_p(3, 7, 9, 11) == pytest.approx(0.1015214, abs=1e-6)
    assert table == pytest.approx(table[::-1, ::-1]) and table == pytest.approx(table.T)


def test_the_table_of_all_outcomes_agrees_with_single_ones():
    table = barnard_p_values(20)
    for a, b in ((17, 3), (15, 11), (20, 16), (0, 0), (10, 10), (3, 17)):
        assert table[a, b] == pytest.approx(barnard_p(a, 20, b, 20), abs=1e-3)


@pytest.mark.parametrize("trials", [10, 16])
def test_equal_policies_are_called_different_at_most_as_often_as_it_says(trials):
    exact = [[barnard_p(a, trials, b, trials) <= 0.05 for b in range(trials + 1)] for a in range(trials + 1)]
    for rate in np.linspace(0.02, 0.98, 25):
        one = binomials(trials, np.array([rate]))[0]
        assert one @ np.array(exact) @ one <= 0.05 + 1e-9


def test_many_trials_are_tested_in_seconds_and_their_limit_agrees():
    started = time.process_time()
    exact = barnard_p(800, 1000, 850, 1000)
    assert time.process_time() - started < 8
    assert exact == pytest.approx(0.0033877, abs=5e-6)  # scipy 1.17, 13 s
    assert barnard_p(8000, 10000, 8100, 10000) == pytest.approx(0.0747, abs=5e-4)  # score test


def test_impossible_counts_are_refused():
    for counts in ((1, 0, 0, 5), (6, 5, 0, 5), (-1, 5, 0, 5)):
        with pytest.raises(TheiaError, match="cannot be tested"):
            barnard_p(*counts)


def test_holm_multiplies_the_smallest_most_and_keeps_the_order():
    # Holm (1979), worked by hand: 4 * 0.005, 3 * 0.01, 2 * 0.03, then no smaller than the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
