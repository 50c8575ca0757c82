import numpy as np
import pytest

from theia_core.tasks import get_task
from theia_core.tasks.pick_place import CUP_AREA, CUP_PLACES_M

TASK = get_task("pick_place")


def test_the_protocol_is_the_papers_twenty_trials():
    # Paper section D.3
    assert TASK.protocol.trials_total == 20
    assert TASK.protocol.axes["handle"] == ("left", "right")
    assert (TASK.stages, TASK.chunk_horizon, TASK.demonstrations) == (("pick", "place"), 5, 48)


def test_eight_places_are_on_the_perimeter_and_two_in_the_centre():
    assert tuple(CUP_PLACES_M) == TASK.protocol.axes["cup_place"]
    places_m = np.array(list(CUP_PLACES_M.values()))
    outermost = np.abs(places_m).max(axis=0)
    on_perimeter = np.any(np.isclose(np.abs(places_m), outermost), axis=1)
    assert (on_perimeter.sum(), (~on_perimeter).sum()) == (8, 2)
    assert [name.startswith("centre") for name in CUP_PLACES_M] == list(~on_perimeter)


def test_every_place_is_tried_with_the_handle_on_either_side():
    cells = {tuple(trial.cell.values()) for trial in TASK.protocol.trials(seed=1000)}
    assert cells == {(place, handle) for place in CUP_PLACES_M for handle in ("left", "right")}


def test_no_demonstration_shows_the_cup_in_a_place_of_the_protocol():
    drawn_m = np.array([TASK.sample_training_params(seed)["cup_place"] for seed in range(3000)])
    places_m = np.array(list(CUP_PLACES_M.values()))
    nearest_m = np.linalg.norm(drawn_m[:, None] - places_m[None], axis=2).min(axis=1)
    assert nearest_m.min() >= CUP_AREA.keep_away_m
    free_m = np.random.default_rng(0).uniform(CUP_AREA.low_m, CUP_AREA.high_m, (3000, 2))
    assert np.linalg.norm(free_m[:, None] - places_m[None], axis=2).min() < CUP_AREA.keep_away_m


def test_demonstrations_cover_the_sink_beyond_the_protocols_places():
    drawn_m = np.array([TASK.sample_training_params(seed)["cup_place"] for seed in range(1000)])
    np.testing.assert_allclose(drawn_m.min(axis=0), CUP_AREA.low_m, atol=0.001)
    np.testing.assert_allclose(drawn_m.max(axis=0), CUP_AREA.high_m, atol=0.001)
    assert np.all(np.abs(list(CUP_PLACES_M.values())) < CUP_AREA.high_m)


def test_demonstrations_show_both_handles_equally_often():
    handles = [TASK.sample_training_params(seed)["handle"] for seed in range(48)]
    assert (handles.count("left"), handles.count("right")) == (24, 24)


@pytest.mark.parametrize(("place", "is_one"), [("front", True), ((0.055, 0.0), True), ((0.02, 0.0), False)])
def test_a_place_by_name_or_by_its_coordinates_counts_as_an_evaluation_pose(place, is_one):
    assert TASK.is_evaluation_pose({"cup_place": place, "handle": "left"}) is is_one
