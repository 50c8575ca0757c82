"""The scripted expert of the drawer task behind the guard that the robot has too."""

import numpy as np
import pytest

from theia_core.actions.hand_profile import load_hand_profile
from theia_core.actions.spaces import motion
from theia_core.tasks import get_task
from theia_sim.controllers import ExpertController
from theia_sim.envs import make_env, make_expert
from theia_sim.rollout import new_guard, rollout
from theia_sim.scenes.drawer_params import DrawerParams

TASK = get_task("drawer")
LIMITS = load_hand_profile("spot_arm").guard


@pytest.fixture(scope="module")
def env():
    env = make_env("drawer")
    yield env
    env.close()


@pytest.fixture(scope="module")
def guard():
    return new_guard("drawer")


def run(env, guard, params, *, noise_m=0.0, latency_s=0.0, max_steps=TASK.horizon_steps, on_step=None):
    env.reset(params)
    controller = ExpertController(env, make_expert("drawer"), noise_m=noise_m)
    return rollout(
        env,
        controller,
        guard,
        seed=params.seed,
        max_steps=max_steps,
        latency_s=latency_s,
        on_step=on_step,
    )


@pytest.mark.parametrize("latency_s", [0.0, 0.1])
def test_the_expert_opens_the_drawer_from_the_corners_of_the_range(env, guard, latency_s):
    for x_m, y_m, yaw_rad in ((-0.05, -0.05, -0.2), (0.05, 0.05, 0.2), (-0.05, 0.05, -0.2)):
        params = DrawerParams.sample(7, start_x_m=x_m, start_y_m=y_m, start_yaw_rad=yaw_rad)
        result = run(env, guard, params, latency_s=latency_s)
        assert result.stages == {"open": True} and result.failure is None and not result.refusals
        assert result.steps <= 40


@pytest.mark.slow
@pytest.mark.parametrize("trial", TASK.protocol.trials(seed=77), ids=lambda trial: str(trial.index))
def test_the_expert_succeeds_in_every_trial_of_the_protocol(env, guard, trial):
    params = DrawerParams.sample(trial.seed, **trial.cell)
    assert run(env, guard, params, latency_s=0.1).stages == {"open": True}


def test_the_expert_succeeds_with_four_millimetres_of_noise(env, guard):
    done = [run(env, guard, DrawerParams.sample(seed), noise_m=0.004).stages["open"] for seed in range(6)]
    assert sum(done) >= 5


def test_the_expert_grasps_again_when_the_bar_slips_out(env, guard):
    lost = []

    def slip(observation, executed):
        if env.drawer_m > 0.03 and not lost:
            lost.append(env.time_s)
            env.data.qpos[env.model.joint("drawer").qposadr[0]] = 0.0

    result = run(env, guard, DrawerParams.sample(4), on_step=slip)
    assert lost and result.stages == {"open": True}


def test_actions_are_poses_within_the_guards_steps_and_seldom_pause(env, guard):
    labels = []
    env.reset(DrawerParams.sample(2))
    controller = ExpertController(env, make_expert("drawer"))
    rollout(env, controller, guard, seed=2, max_steps=80, on_step=lambda *_: labels.append(controller.label))
    actions = np.array(labels)
    assert actions.shape[1] == 10 and actions.dtype == np.float32 and np.all(np.isfinite(actions))
    steps = motion(actions)[1:]
    moved_m = np.linalg.norm(steps[:, :3], axis=1)
    assert moved_m.max() <= LIMITS.max_step_m
    assert np.linalg.norm(steps[:, 3:], axis=1).max() <= LIMITS.max_step_rad
    assert np.sum(moved_m < 0.002) <= 4
    assert actions[:, 9].min() >= 0.0 and actions[:, 9].max() <= 1.0


def test_the_expert_has_no_memory(env, guard):
    env.reset(DrawerParams.sample(0))
    used = make_expert("drawer")
    rollout(env, ExpertController(env, used), guard, seed=0, max_steps=9)
    np.testing.assert_array_equal(used.act(env), make_expert("drawer").act(env))
