"""Scripts that open and shut the drawer from where the fiducial is, through the filter of every motion."""

import numpy as np
import pytest

from theia_core.actions.hand_filter import HandFilter, HandGoal
from theia_core.actions.hand_profile import load_hand_profile
from theia_core.tasks.drawer_script import FIDUCIAL_TFORM_BAR, closing, opening
from theia_sim.envs import make_env
from theia_sim.scenes.drawer_params import DrawerParams


@pytest.fixture(scope="module")
def env():
    env = make_env("drawer")
    yield env
    env.close()


def play(env, hand, goals):
    for goal in goals:
        before, taken = hand.goal, hand.take(goal.action)
        assert isinstance(taken, HandGoal), f"{taken} at {goal.pose.position_m}"
        np.testing.assert_allclose(taken.action, goal.action, atol=1e-5)  # no step was too far
        for tick in range(10):
            env.follow(before.towards(taken, (tick + 1) / 10))
            env.step(0.02)


@pytest.mark.parametrize("seed", [1, 2, 9])
def test_the_drawer_is_opened_and_shut_again_by_what_the_fiducial_says(env, seed):
    env.reset(DrawerParams.sample(seed))
    bar = env.root.inverse() @ env.fiducial_pose("world") @ FIDUCIAL_TFORM_BAR
    hand = HandFilter(load_hand_profile(), "drawer")
    hand.begin(HandGoal(env.root.inverse() @ env.hand_pose("world"), env.gripper_fraction()))
    play(env, hand, opening(hand.goal, bar, out_m=0.2))
    assert env.drawer_m == pytest.approx(0.2, abs=0.01) and env.stages() == {"open": True}
    assert not any(env.touching_jaws())  # let go, and did not hook it on the way back
    play(env, hand, closing(hand.goal, bar))
    assert abs(env.drawer_m) < 0.003 and env.failure() is None
    assert not any(env.touching_jaws())
