"""The scripted expert behind the robot's own guard."""

import numpy as np
import pytest

from theia_core.actions.profile import load_profile
from theia_sim.controllers import ExpertController
from theia_sim.envs import make_expert
from theia_sim.rollout import new_guard, rollout
from theia_sim.scenes.door import DoorParams

LIMITS = load_profile("wx250s").guard


@pytest.fixture(scope="module")
def guard():
    return new_guard("door")


def run(env, guard, seed, *, noise_m=0.0, cell=None, on_step=None):
    env.reset(DoorParams.sample(seed, **(cell or {})))
    controller = ExpertController(env, make_expert("door"), noise_m=noise_m)
    return rollout(env, controller, guard, seed=seed, max_steps=120, on_step=on_step)


@pytest.mark.parametrize("height_m", [0.40, 0.46])
@pytest.mark.parametrize("x_m", [-0.06, 0.06])
def test_the_expert_opens_the_door_from_every_corner_of_the_protocol(door_env, guard, height_m, x_m):
    result = run(door_env, guard, 11, cell={"base_height_m": height_m, "x_position_m": x_m})
    assert result.stages == {"open": True, "fully_open": True}
    assert result.steps <= 70 and result.failure is None and not result.refusals


def test_the_expert_mostly_succeeds_with_four_millimetres_of_noise(door_env, guard):
    opened = [run(door_env, guard, seed, noise_m=0.004).stages["fully_open"] for seed in range(8)]
    assert sum(opened) >= 7


def test_the_expert_grasps_again_after_it_lost_the_bar(door_env, guard):
    held = []

    def open_the_fingers_once(observation, executed):
        held.append(door_env.holding())
        if door_env.door_angle_rad > 0.3 and not slipped:
            slipped.append(len(held))
            door_env.data.qpos[door_env._finger_qpos] = (0.037, -0.037)
            joints = door_env.joint_state().position[:6].copy()
            joints[1] -= 0.35  # the hand is knocked back, off the bar
            door_env.data.qpos[door_env._arm_qpos] = joints

    slipped: list[int] = []
    result = run(door_env, guard, 4, on_step=open_the_fingers_once)
    assert slipped and not held[slipped[0]]
    assert any(held[slipped[0] + 1 :])
    assert result.stages["fully_open"]


def test_actions_are_finite_within_the_guards_limits_and_never_pause(door_env, guard):
    labels = []
    env, expert = door_env, make_expert("door")
    env.reset(DoorParams.sample(2))
    controller = ExpertController(env, expert)
    rollout(env, controller, guard, seed=2, max_steps=120, on_step=lambda *_: labels.append(controller.label))
    actions = np.array(labels)
    assert actions.dtype == np.float32 and np.all(np.isfinite(actions))
    assert np.max(np.abs(actions[:, :3])) <= LIMITS.max_step_m
    assert np.max(np.abs(actions[:, 3:6])) <= LIMITS.max_step_rad
    assert set(np.unique(actions[:, 6])) == {0.0, 1.0}
    way_m = np.linalg.norm(actions[:, :3], axis=1)
    assert np.percentile(way_m, 90) <= 0.04
    assert np.sum(way_m < 0.002) <= 3


def test_the_expert_has_no_memory(env, guard):
    used = make_expert("door")
    controller = ExpertController(env, used)
    rollout(env, controller, guard, seed=0, max_steps=15)
    np.testing.assert_array_equal(used.act(env), make_expert("door").act(env))
    np.testing.assert_array_equal(used.act(env), used.act(env))
