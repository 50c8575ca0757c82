"""Two policies on the same trials: discordant trials are counted and tested exactly."""

import pytest

from theia_core.errors import TheiaError
from theia_core.evaluation import (
    PairedCount,
    compare,
    comparison_entry,
    comparison_table,
    side_by_side_table,
)
from theia_core.tasks import get_task

DOOR = get_task("door")


def test_outcomes_are_paired_by_trial_whatever_their_order(trials):
    better, worse = trials(n=10, fully=9), trials(n=10, fully=4, policy="door-bc@9999")
    count = compare(worse, better[::-1], task=DOOR)["fully_open"]
    assert count == PairedCount(both=4, only_a=0, only_b=5, neither=1)
    assert count.difference == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("only_a", "only_b", "p"),
    [
        (0, 5, 0.0625),  # 2 * 0.5^5
        (5, 0, 0.0625),
        (1, 9, 0.021484375),  # 2 * (1 + 10) / 2^10
        (3, 3, 1.0),
        (0, 0, 1.0),
    ],
)
def test_p_is_the_two_sided_binomial_tail_of_the_discordant_trials(only_a, only_b, p):
    assert PairedCount(20, only_a, only_b, 5).p_value == pytest.approx(p)


def test_only_trials_that_both_ran_are_compared(trials):
    assert compare(trials(n=10), trials(n=7), task=DOOR)["open"].trials == 7
    with pytest.raises(TheiaError, match="share no trial"):
        compare(trials(n=10)[:3], trials(n=10)[3:], task=DOOR)


def test_trials_of_other_scenes_are_not_compared(trials):
    other = [{**record, "seed": record["seed"] + 1} for record in trials(n=3)]
    with pytest.raises(TheiaError, match="trial 0 was of seed"):
        compare(trials(n=3), other, task=DOOR)


def test_the_entry_names_both_and_holds_every_stage(trials):
    entry = comparison_entry(trials(fully=40), trials(fully=45, policy="b@1", encoder="e@2"), task=DOOR)
    assert entry["a"] == {"policy": "door-bc@0123", "encoder": "lite@4567"}
    assert entry["b"] == {"policy": "b@1", "encoder": "e@2"}
    assert entry["stages"]["fully_open"] == {
        "trials": 50,
        "both": 40,
        "only_a": 0,
        "only_b": 5,
        "neither": 5,
        "difference": 0.1,
        "difference_ci95": pytest.approx([0.0053, 0.2077], abs=5e-5),
        "mcnemar_p": 0.0625,
        "barnard_p": pytest.approx(0.20866, abs=1e-5),
    }
    assert set(entry["stages"]) == set(DOOR.stages)


def test_tables_have_a_column_for_each_and_a_row_for_every_two(trials):
    results = {"x": trials(fully=40), "y": trials(fully=45), "z": trials(fully=45)}
    table = side_by_side_table(results, task=DOOR).splitlines()
    assert table[0].split() == ["stage", "x", "y", "z"]
    assert "40/50 (66 to 90 %)" in table[-1] and "45/50 (78 to 97 %)" in table[-1]
    rows = [row.split() for row in comparison_table(results, task=DOOR).splitlines()[2:]]
    assert [row[:2] for row in rows] == [["x", "y"], ["x", "z"], ["y", "z"]]
    assert rows[0][2:] == ["0", "5", "+10", "%", "+1", "to", "+21", "%", "0.0625", "0.209", "0.626"]


def test_markdown_has_a_row_for_each_with_its_jumps(trials):
    jumps = {"seam_m": 0.01, "seam_rad": 0.05, "elsewhere_m": None, "elsewhere_rad": None}
    results = {"x": trials(fully=40, jumps=jumps), "y": trials(fully=45, jumps=jumps | {"seam_m": 0.002})}
    lines = side_by_side_table(results, task=DOOR, markdown=True, corner="execution").splitlines()
    assert lines[0] == "| execution | open | fully_open | jump at seams | jump elsewhere |"
    assert lines[2] == "| x | 42/50 (71 to 93 %) | 40/50 (66 to 90 %) | 10.0 mm, 0.050 rad | - |"
    assert lines[3].endswith("| 45/50 (78 to 97 %) | 2.0 mm, 0.050 rad | - |")
    assert comparison_table(results, task=DOOR, markdown=True).splitlines()[2].startswith("| x | y | 0 | 5 |")
