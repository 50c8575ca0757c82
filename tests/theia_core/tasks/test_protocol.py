from collections import Counter
from dataclasses import replace

import pytest

from theia_core.errors import TheiaError
from theia_core.tasks import FIRST_TRIAL_SEED, Protocol, get_task, train_seed, trial_seed
from theia_core.tasks.protocol import Group

PROTOCOL = get_task("door").protocol
GROUPED = replace(
    PROTOCOL,
    axes={"food": ("egg", "corn", "fish")},
    groups={"seen": Group("food", ("egg", "corn"), 4), "unseen": Group("food", ("fish",), 2)},
)


def _cells(trials):
    return Counter(tuple(trial.cell.values()) for trial in trials)


@pytest.mark.parametrize("n", [50, 100])
def test_each_cell_is_tried_equally_often(n):
    counts = _cells(PROTOCOL.trials(seed=3, n=n))
    assert len(counts) == 25
    assert set(counts.values()) == {n // 25}


def test_an_evaluation_cut_short_is_spread_over_the_grid():
    trials = PROTOCOL.trials(seed=11)
    for start in range(0, 50, 5):
        block = trials[start : start + 5]
        for axis, values in PROTOCOL.axes.items():
            assert sorted(trial.cell[axis] for trial in block) == sorted(values)


def test_the_order_is_a_function_of_the_seed_and_a_shorter_run_is_its_beginning():
    assert PROTOCOL.trials(seed=1) == PROTOCOL.trials(seed=1)
    assert [t.cell for t in PROTOCOL.trials(seed=1)] != [t.cell for t in PROTOCOL.trials(seed=2)]
    assert PROTOCOL.trials(seed=1, n=7) == PROTOCOL.trials(seed=1)[:7]


def test_a_grid_that_is_not_square_is_complete_too():
    oblong = replace(PROTOCOL, axes={"a": (1.0, 2.0), "b": (1.0, 2.0, 3.0)})
    assert set(_cells(oblong.trials(seed=0)).values()) == {2}


def test_groups_are_tried_as_often_as_they_say_in_every_pass():
    assert GROUPED.trials_total == 10
    assert _cells(GROUPED.trials(seed=3)) == {("egg",): 4, ("corn",): 4, ("fish",): 2}
    assert _cells(GROUPED.trials(seed=3, n=5)) == {("egg",): 2, ("corn",): 2, ("fish",): 1}
    assert GROUPED.trials(seed=3)[:5] == GROUPED.trials(seed=3, n=5)


def test_a_cell_knows_its_group():
    assert [GROUPED.group_of(cell) for cell in GROUPED.cells] == ["seen", "seen", "unseen"]
    assert PROTOCOL.group_of(PROTOCOL.cells[0]) is None


def test_trial_seeds_are_unique_and_never_training_seeds():
    seeds = [trial.seed for seed in range(20) for trial in PROTOCOL.trials(seed)]
    assert len(set(seeds)) == len(seeds)
    assert min(seeds) >= FIRST_TRIAL_SEED > train_seed(999_999)
    assert trial_seed(0, 9_999) < trial_seed(1, 0)


def test_seeds_out_of_range_are_refused():
    for call in (
        lambda: train_seed(FIRST_TRIAL_SEED),
        lambda: train_seed(-1),
        lambda: trial_seed(-1, 0),
        lambda: trial_seed(0, 10_000),
        lambda: PROTOCOL.trials(0, 0),
        lambda: PROTOCOL.trials(0, 10_001),
    ):
        with pytest.raises(TheiaError):
            call()


@pytest.mark.parametrize(
    "change",
    [
        {"axes": {"base_height_m": (0.40,), "x_position_m": (0.0,)}},
        {"repetitions": 3},
        {"stages": {"open": "another criterion"}},
        {"horizon_steps": 121},
        {"control_rate_hz": 6.0},
        {"groups": {"low": Group("base_height_m", (0.40,), 3)}},
    ],
)
def test_the_hash_changes_with_everything_a_result_depends_on(change):
    assert replace(PROTOCOL, **change).hash != PROTOCOL.hash


def test_the_hash_of_the_first_results_still_stands():
    assert PROTOCOL.hash == "6eaae5362671"


def test_equal_protocols_have_equal_hashes():
    twin = Protocol(**{name: getattr(PROTOCOL, name) for name in PROTOCOL.__dataclass_fields__})
    assert twin.hash == PROTOCOL.hash
    assert len(PROTOCOL.hash) == 12
