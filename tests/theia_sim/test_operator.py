"""Synthetic operator, teleoperation and guard on simulated time; what DDS adds is in tests/system."""

import numpy as np
import pytest

from theia_core.actions.chunks import ActionChunk
from theia_core.tasks import get_task, train_seed
from theia_core.teleop.controls import load_controls
from theia_core.teleop.motion import Teleoperation
from theia_sim.envs import make_env
from theia_sim.operator import DoorOperator
from theia_sim.rollout import new_guard

TICK_S, JOY_TICKS, STEP_TICKS = 0.02, 2, 10
SEEN_TICKS_AGO = 5  # what the operator sees is 0.1 s old


@pytest.fixture(scope="module")
def world():
    return make_env("door"), new_guard("door"), DoorOperator(load_controls("gamepad"))


def demonstrate(world, seed, steps=160):
    """One demonstration by Joy messages; returns the stages reached and what the guard refused."""
    env, guard, operator = world
    task, limits = get_task("door"), guard.profile.guard
    params = type(env).params_type.sample(seed, **task.sample_training_params(seed))
    env.reset(params)
    operator.face(params)
    teleop = Teleoperation(load_controls("gamepad"), limits.max_step_m, limits.max_step_rad)
    names = list(env.joint_state().names)
    arm = [names.index(name) for name in (*guard.profile.joint_names, guard.profile.finger_joint)]
    guard.clear(env.time_s)
    guard.disarm(env.time_s)
    before = dict(guard.refusals)
    seen, armed = [], False
    for tick in range(steps * STEP_TICKS):
        joints = np.asarray(env.joint_state().position)[arm]
        guard.on_joint_state(env.time_s, joints)
        seen.append((joints, env.door_angle_rad, env.holding()))
        now_s = env.time_s
        if tick % JOY_TICKS == 0:
            teleop.on_joy(*operator.drive(*seen[max(tick - SEEN_TICKS_AGO, 0)]), now_s)
        if tick % STEP_TICKS == 0 and (action := teleop.action(now_s, 0.2)) is not None:
            if not armed:
                assert guard.arm(now_s) is None
                armed = True
            chunk = ActionChunk(now_s, 0.2, action[None], now_s + 0.4, tick + 1, "teleop-gamepad")
            guard.on_chunk(now_s, chunk)
        if (command := guard.tick(now_s)) is not None:
            env.set_joint_targets(command.joints_rad)
            env.set_gripper_pwm(command.gripper_pwm)
        env.step(TICK_S)
        if all(env.stages().values()):
            break
    refused = {name: count - before[name] for name, count in guard.refusals.items() if count > before[name]}
    return env.stages(), refused


def test_a_gamepad_opens_the_door_in_nine_of_ten_scenes(world):
    results = [demonstrate(world, train_seed(index)) for index in range(10)]
    assert sum(all(stages.values()) for stages, _ in results) >= 9, results
