from collections import Counter

import pytest

from theia_core.tasks import get_task
from theia_core.tasks.microwave import SEEN_FOODS, UNSEEN_FOODS

MICROWAVE = get_task("microwave")


def test_the_protocol_is_the_papers_ten_seen_foods_four_times_and_five_unseen_twice():
    # Paper section D.3
    tried = Counter(trial.cell["food"] for trial in MICROWAVE.protocol.trials(seed=5))
    assert tried == dict.fromkeys(SEEN_FOODS, 4) | dict.fromkeys(UNSEEN_FOODS, 2)
    assert (len(SEEN_FOODS), len(UNSEEN_FOODS), MICROWAVE.protocol.trials_total) == (10, 5, 50)
    assert MICROWAVE.stages == ("pick", "place", "close_door")
    assert (MICROWAVE.chunk_horizon, MICROWAVE.control_rate_hz) == (10, 5.0)
    assert not set(SEEN_FOODS) & set(UNSEEN_FOODS)


def test_half_an_evaluation_tries_every_food_half_as_often():
    tried = Counter(trial.cell["food"] for trial in MICROWAVE.protocol.trials(seed=5, n=25))
    assert tried == dict.fromkeys(SEEN_FOODS, 2) | dict.fromkeys(UNSEEN_FOODS, 1)


@pytest.mark.parametrize("first", [0, 37])
def test_a_hundred_demonstrations_show_each_seen_food_ten_times_and_no_other(first):
    shown = Counter(MICROWAVE.sample_training_params(first + index)["food"] for index in range(100))
    assert shown == dict.fromkeys(SEEN_FOODS, 10)


def test_a_food_alone_makes_no_evaluation_pose():
    assert not any(MICROWAVE.is_evaluation_pose(cell) for cell in MICROWAVE.protocol.cells)
