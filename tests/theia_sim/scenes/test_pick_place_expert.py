"""The scripted expert of the pick-and-place task behind the robot's own guard."""

import numpy as np
import pytest

from theia_core.actions.profile import load_profile
from theia_core.tasks import get_task
from theia_sim.controllers import ExpertController
from theia_sim.envs import make_env, make_expert
from theia_sim.rollout import new_guard, rollout
from theia_sim.scenes.pick_place_params import PickPlaceParams

TASK = get_task("pick_place")
LIMITS = load_profile("wx250s").guard
ALL = {"pick": True, "place": True}


@pytest.fixture(scope="module")
def env():
    env = make_env("pick_place")
    yield env
    env.close()


@pytest.fixture(scope="module")
def guard():
    return new_guard("pick_place")


def run(env, guard, params, *, noise_m=0.0, max_steps=TASK.horizon_steps, on_step=None):
    env.reset(params)
    controller = ExpertController(env, make_expert("pick_place"), noise_m=noise_m)
    return rollout(env, controller, guard, seed=params.seed, max_steps=max_steps, on_step=on_step)


# Known: gripped over the handle this cup tips as it is lifted, and the expert grips its tilted rim for ever.
TIPS = pytest.mark.xfail(strict=True, reason="the expert does not let go of a cup that tipped in its grip")


@pytest.mark.parametrize(
    ("place", "handle"),
    [
        pytest.param("front_left", "left", marks=TIPS),
        ("front_left", "right"),
        ("back_right", "left"),
        ("back_right", "right"),
        ("centre_left", "left"),
        ("centre_left", "right"),
    ],
)
def test_the_expert_puts_the_cup_into_the_rack(env, guard, place, handle):
    result = run(env, guard, PickPlaceParams.sample(11, place, handle))
    assert result.stages == ALL
    assert result.steps <= 75 and result.failure is None and not result.refusals


@pytest.mark.slow
@pytest.mark.parametrize("trial", TASK.protocol.trials(seed=77), ids=lambda trial: str(trial.index))
def test_the_expert_succeeds_in_every_trial_of_the_protocol(env, guard, trial):
    assert run(env, guard, PickPlaceParams.sample(trial.seed, **trial.cell)).stages == ALL


def test_the_expert_succeeds_with_four_millimetres_of_noise(env, guard):
    done = [run(env, guard, PickPlaceParams.sample(seed), noise_m=0.004).stages["place"] for seed in range(6)]
    assert sum(done) >= 5


def test_the_expert_fetches_the_cup_again_that_it_lost(env, guard):
    lost = []

    def knock_it_out_of_the_hand(observation, executed):
        if env.stages()["pick"] and not lost:
            lost.append(env.time_s)
            x_m, y_m = env.sink_m
            env.put_cup(np.array([x_m + 0.02, y_m - 0.05, 0.056]), handle_rad=1.2)

    result = run(env, guard, PickPlaceParams.sample(4), on_step=knock_it_out_of_the_hand)
    assert lost and result.stages == ALL


def test_actions_are_finite_within_the_guards_limits_and_seldom_pause(env, guard):
    labels = []
    env.reset(PickPlaceParams.sample(2))
    controller = ExpertController(env, make_expert("pick_place"))
    rollout(env, controller, guard, seed=2, max_steps=120, on_step=lambda *_: labels.append(controller.label))
    actions = np.array(labels[:-5])  # the hand may rest when all is done
    assert actions.dtype == np.float32 and np.all(np.isfinite(actions))
    assert np.max(np.abs(actions[:, :3])) <= LIMITS.max_step_m
    assert np.max(np.abs(actions[:, 3:6])) <= LIMITS.max_step_rad
    assert set(np.unique(actions[:, 6])) == {0.0, 1.0}
    assert np.sum(np.linalg.norm(actions[:, :3], axis=1) < 0.002) <= 5


@pytest.mark.parametrize("handle", ["left", "right"])
def test_the_cup_is_grasped_on_its_left_wherever_its_handle_is(env, guard, handle):
    left_m = []

    def note(observation, executed):
        if env.holding():
            foot_m, _ = env.cup_pose()
            position_m, _ = env.tcp()
            across = np.array([-foot_m[1], foot_m[0], 0.0]) / np.hypot(*foot_m[:2])
            left_m.append(float((position_m - foot_m) @ across))

    run(env, guard, PickPlaceParams.sample(8, "centre_right", handle), max_steps=40, on_step=note)
    assert left_m and min(left_m) > 0.02


def test_the_expert_has_no_memory(env, guard):
    env.reset(PickPlaceParams.sample(0))
    used = make_expert("pick_place")
    rollout(env, ExpertController(env, used), guard, seed=0, max_steps=25)
    np.testing.assert_array_equal(used.act(env), make_expert("pick_place").act(env))
    np.testing.assert_array_equal(used.act(env), used.act(env))
