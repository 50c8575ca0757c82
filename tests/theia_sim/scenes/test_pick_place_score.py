"""Stages of the pick-and-place task come from contacts and holds."""

from dataclasses import replace

import pytest

from theia_sim.scenes.pick_place_score import Moment, PickPlaceScore

STANDING = Moment(
    held=False,
    touched=False,
    supported=True,
    over_counter_m=-0.045,
    in_rack=False,
    on_rack=False,
    tilt_rad=0.0,
)
LIFTED = replace(STANDING, held=True, touched=True, supported=False, over_counter_m=0.05)
OVER_RACK = replace(LIFTED, in_rack=True)
ON_RACK = replace(STANDING, over_counter_m=0.016, in_rack=True, on_rack=True)


def score(*moments):
    result = PickPlaceScore()
    for moment, seconds in moments:
        for _ in range(round(seconds / 0.01)):
            result.update(moment)
    return result.stages


def test_a_cup_that_is_lifted_carried_and_let_go_reaches_both_stages():
    assert score((STANDING, 1), (LIFTED, 1), (OVER_RACK, 1), (ON_RACK, 0.3)) == {"pick": True, "place": True}


@pytest.mark.parametrize(
    "change",
    [
        {"held": False},
        {"supported": True},
        {"over_counter_m": 0.019},
    ],
)
def test_a_cup_is_not_picked_unless_the_pads_alone_hold_it_high(change):
    assert not score((replace(LIFTED, **change), 1))["pick"]


def test_a_short_hop_is_no_pick():
    assert not score((LIFTED, 0.15), (STANDING, 0.1), (LIFTED, 0.15))["pick"]


@pytest.mark.parametrize(
    "change",
    [{"touched": True}, {"on_rack": False}, {"in_rack": False}, {"tilt_rad": 0.6}],
)
def test_a_cup_is_not_placed_unless_it_stands_free_in_the_rack(change):
    assert not score((LIFTED, 1), (OVER_RACK, 1), (replace(ON_RACK, **change), 1))["place"]


def test_a_cup_that_gets_into_the_rack_without_the_grip_is_not_placed():
    thrown = replace(OVER_RACK, held=False, touched=False)
    assert score((LIFTED, 1), (thrown, 0.2), (ON_RACK, 1)) == {"pick": True, "place": False}


def test_a_cup_that_was_never_lifted_is_not_placed():
    pushed = replace(OVER_RACK, supported=True, over_counter_m=0.0)
    assert score((pushed, 1), (ON_RACK, 1)) == {"pick": False, "place": False}


def test_a_cup_that_leaves_the_rack_must_be_carried_in_again():
    assert not score((LIFTED, 1), (OVER_RACK, 0.1), (STANDING, 0.1), (ON_RACK, 1))["place"]
