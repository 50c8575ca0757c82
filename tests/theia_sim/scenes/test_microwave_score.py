"""How the microwave task is scored: what counts as picked, placed and closed, and what does not."""

from dataclasses import replace

import numpy as np
import pytest

from theia_core.tasks.microwave import CLOSED_RAD, LIFTED_M
from theia_sim.scenes.microwave_score import MicrowaveScore, Moment

OPEN_RAD = 1.7
IN_POT = Moment(
    held=False,
    touched=False,
    supported=True,
    over_rim_m=-0.02,
    inside=False,
    on_floor=False,
    door_rad=OPEN_RAD,
    hand_at_door=False,
)
LIFTED = replace(IN_POT, held=True, touched=True, supported=False, over_rim_m=LIFTED_M + 0.001)
CARRIED_IN = replace(LIFTED, inside=True)
LET_GO = replace(IN_POT, inside=True, on_floor=True)


def during(score, seconds, now):
    for _ in range(round(seconds / 0.01)):
        score.update(now)
    return score


def push_door(score, now, *, at_door, seconds=2.0, to_rad=0.0):
    for angle_rad in np.linspace(now.door_rad, to_rad, round(seconds / 0.01)):
        score.update(replace(now, door_rad=float(angle_rad), hand_at_door=at_door))
    return during(score, 0.3, replace(now, door_rad=to_rad, hand_at_door=at_door))


def placed():
    score = during(MicrowaveScore(OPEN_RAD), 0.3, LIFTED)
    return during(during(score, 0.5, CARRIED_IN), 0.3, LET_GO)


def test_the_whole_task_reaches_the_stages_in_order():
    score = MicrowaveScore(OPEN_RAD)
    during(score, 0.3, IN_POT)
    assert list(score.stages.values()) == [False, False, False]
    during(score, 0.3, LIFTED)
    assert list(score.stages.values()) == [True, False, False]
    during(during(score, 0.5, CARRIED_IN), 0.3, LET_GO)
    assert list(score.stages.values()) == [True, True, False]
    push_door(score, LET_GO, at_door=True)
    assert list(score.stages.values()) == [True, True, True]


@pytest.mark.parametrize(
    "flaw",
    [{"held": False}, {"supported": True}, {"over_rim_m": LIFTED_M - 0.001}],
    ids=["one pad only", "still touching the pot", "not over the rim"],
)
def test_what_is_not_picked(flaw):
    assert not during(MicrowaveScore(OPEN_RAD), 2.0, replace(LIFTED, **flaw)).stages["pick"]


def test_a_moment_in_the_air_is_no_pick():
    score = MicrowaveScore(OPEN_RAD)
    for _ in range(10):
        during(during(score, 0.1, LIFTED), 0.1, replace(LIFTED, held=False))
    assert not score.stages["pick"]


@pytest.mark.parametrize(
    "flaw",
    [{"touched": True}, {"on_floor": False}, {"inside": False}],
    ids=["still in the hand", "not on the floor", "outside"],
)
def test_what_is_not_placed(flaw):
    score = during(during(MicrowaveScore(OPEN_RAD), 0.3, LIFTED), 0.5, CARRIED_IN)
    assert not during(score, 2.0, replace(LET_GO, **flaw)).stages["place"]


def test_food_that_is_thrown_or_rolls_in_is_not_placed():
    score = during(MicrowaveScore(OPEN_RAD), 0.3, LIFTED)
    during(score, 0.3, replace(IN_POT, supported=False, over_rim_m=0.05))
    assert not during(score, 2.0, LET_GO).stages["place"]


def test_food_that_falls_out_again_must_be_carried_in_again():
    score = during(during(MicrowaveScore(OPEN_RAD), 0.3, LIFTED), 0.5, CARRIED_IN)
    during(score, 0.3, replace(IN_POT, over_rim_m=-0.04))
    assert not during(score, 2.0, LET_GO).stages["place"]


def test_a_door_that_is_thrown_shut_is_not_closed():
    score = placed()
    push_door(score, LET_GO, at_door=True, to_rad=1.4)
    push_door(score, replace(LET_GO, door_rad=1.4), at_door=False)
    assert not score.stages["close_door"]


def test_a_push_that_lifts_off_for_a_moment_counts_all_the_same():
    score = placed()
    for place, angle_rad in enumerate(np.linspace(OPEN_RAD, 0.0, 200)):
        score.update(replace(LET_GO, door_rad=float(angle_rad), hand_at_door=place % 6 == 0))
    assert during(score, 0.3, replace(LET_GO, door_rad=0.0)).stages["close_door"]


@pytest.mark.parametrize(
    ("flaw", "to_rad"), [({}, CLOSED_RAD + 0.01), ({"inside": False}, 0.0)], ids=["ajar", "nothing inside"]
)
def test_what_is_not_closed(flaw, to_rad):
    assert not push_door(placed(), replace(LET_GO, **flaw), at_door=True, to_rad=to_rad).stages["close_door"]


def test_an_empty_microwave_that_is_shut_first_is_not_closed():
    score = push_door(MicrowaveScore(OPEN_RAD), IN_POT, at_door=True)
    assert not score.stages["close_door"]
