import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_core.tasks import get_task
from theia_core.tasks.door import FULLY_OPEN_RAD, OPEN_RAD

DOOR = get_task("door")
SIMULATOR = Path(__file__).resolve().parents[3] / "ros2_ws/src/theia_sim/theia_sim"


def test_the_door_protocol_is_the_papers_grid_of_fifty():
    # Paper section D.3
    assert DOOR.protocol.axes["base_height_m"] == (0.40, 0.42, 0.43, 0.44, 0.46)
    assert len(DOOR.protocol.axes["x_position_m"]) == 5
    assert DOOR.protocol.trials_total == 50
    assert (DOOR.stages, DOOR.horizon_steps, DOOR.chunk_horizon, DOOR.control_rate_hz) == (
        ("open", "fully_open"),
        120,
        10,
        5.0,
    )


def test_the_simulator_scores_the_stages_at_the_angles_of_the_task():
    found = dict(
        match.groups()
        for path in sorted(SIMULATOR.rglob("*.py"))
        for match in re.finditer(r"^((?:FULLY_)?OPEN_RAD) = ([\d.]+)", path.read_text(), re.MULTILINE)
    )
    assert {name: float(value) for name, value in found.items()} == {
        "OPEN_RAD": OPEN_RAD,
        "FULLY_OPEN_RAD": FULLY_OPEN_RAD,
    }


def test_an_unknown_task_is_named():
    with pytest.raises(TheiaError, match="no task 'dor'; known: door"):
        get_task("dor")


def _nearest_cell(params):
    """Distance to the nearest protocol cell in units of the keep-away band, Chebyshev."""
    return min(
        max(abs(params[name] - cell[name]) / DOOR.training[name].keep_away for name in cell)
        for cell in DOOR.protocol.cells
    )


def test_no_training_scene_is_an_evaluation_pose():
    distances = [_nearest_cell(DOOR.sample_training_params(seed)) for seed in range(5000)]
    assert min(distances) >= 1.0
    # and the rejection is what did it: unrestricted draws do fall into the bands
    random = np.random.default_rng(0)
    free = [{n: random.uniform(r.low, r.high) for n, r in DOOR.training.items()} for _ in range(5000)]
    assert min(map(_nearest_cell, free)) < 1.0


def test_every_evaluation_pose_counts_as_one():
    assert all(DOOR.is_evaluation_pose(cell) for cell in DOOR.protocol.cells)


def test_training_scenes_cover_the_whole_range_and_repeat_with_the_seed():
    drawn = [DOOR.sample_training_params(seed) for seed in range(500)]
    for name, low, high in (("base_height_m", 0.39, 0.47), ("x_position_m", -0.085, 0.085)):
        values = np.array([params[name] for params in drawn])
        assert low <= values.min() < low + 0.02 * (high - low)
        assert high >= values.max() > high - 0.02 * (high - low)
        assert abs(values.mean() - (low + high) / 2) < 0.05 * (high - low)
    assert DOOR.sample_training_params(7) == DOOR.sample_training_params(7)
    assert len(Counter(map(str, drawn))) == 500


@pytest.mark.parametrize("seed", [-1, 1_000_000])
def test_training_refuses_a_seed_of_the_evaluation(seed):
    with pytest.raises(TheiaError, match="no training seed"):
        DOOR.sample_training_params(seed)
