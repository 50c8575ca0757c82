"""The drawer scene: randomisation from the seed, and stages scored from how the drawer was opened."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from theia_core.actions.poses import Pose
from theia_core.errors import TheiaError
from theia_core.tasks import get_task
from theia_core.tasks.drawer import OPEN_M
from theia_sim.envs import make_env
from theia_sim.scenes import cabinet
from theia_sim.scenes.drawer_params import DrawerParams

TASK = get_task("drawer")


@pytest.fixture(scope="module")
def scene():
    env = make_env("drawer")
    yield env
    env.close()


@pytest.fixture
def env(scene):
    scene.reset(DrawerParams.sample(0))
    return scene


def test_equal_seeds_give_bit_identical_episodes(env):
    traces = []
    for _ in range(2):
        env.reset(DrawerParams.sample(5))
        trace = [env.render(160, 120).tobytes()]
        target = env.hand_pose("world")
        for step in range(6):
            env.set_hand_target(Pose(target.position_m + 0.01 * step, target.rotation), "world")
            env.step(0.1)
            trace.append(env.data.qpos.tobytes() + env.observed_state().tobytes())
        traces.append(trace)
        env.reset(DrawerParams.sample(6))  # what happened in between must not matter
    assert traces[0] == traces[1]


def test_different_seeds_differ_in_everything():
    one, other = (asdict(DrawerParams.sample(seed)) for seed in (1, 2))
    assert not [name for name in one if one[name] == other[name]]


def test_given_values_replace_the_draw_and_change_nothing_else():
    drawn = DrawerParams.sample(3)
    given = DrawerParams.sample(3, start_x_m=0.02, start_yaw_rad=-0.1)
    assert (given.start_x_m, given.start_yaw_rad, given.start_y_m) == (0.02, -0.1, drawn.start_y_m)
    assert replace(given, start_x_m=drawn.start_x_m, start_yaw_rad=drawn.start_yaw_rad) == drawn
    with pytest.raises(TheiaError, match=r"start_y_m 0\.2 is too far"):
        DrawerParams.sample(3, start_y_m=0.2)


def test_parameters_survive_json_and_wrong_ones_are_named():
    params = DrawerParams.sample(4)
    assert DrawerParams.from_dict(json.loads(json.dumps(asdict(params)))) == params
    with pytest.raises(TheiaError, match="colour"):
        DrawerParams.from_dict(asdict(params) | {"colour": 1})


def test_the_robot_stands_where_its_parameters_say_and_the_root_is_there(env):
    params = DrawerParams.sample(8, start_x_m=0.03, start_y_m=-0.04, start_yaw_rad=0.15)
    env.reset(params)
    body = env.body_pose("world")
    np.testing.assert_allclose(body.position_m[:2], [0.03, -0.04], atol=1e-9)
    assert body.yaw_rad == pytest.approx(0.15)
    assert env.root.distance_to(body) == pytest.approx((0, 0), abs=1e-7)
    assert env.bar_m()[2] == pytest.approx(cabinet.BAR_M[2] + params.handle_height_m)


def pull_by_hand(env, out_m, seconds=1.0):
    """Move the drawer without the robot."""
    joint = env.model.joint("drawer")
    for _ in range(round(seconds / 0.02)):
        env.data.qpos[joint.qposadr[0]] += out_m / round(seconds / 0.02)
        env.step(0.02)


def test_a_drawer_that_comes_out_without_the_grip_is_not_opened(env):
    pull_by_hand(env, OPEN_M + 0.05)
    assert env.drawer_m > OPEN_M and env.stages() == {"open": False}
    assert env.info()["held_m"] == 0.0


def test_a_bar_that_open_jaws_drag_along_is_not_in_the_grip(env):
    env.set_gripper(0.6)
    level = np.eye(3)
    lifted = np.array([-0.005, 0.0, 0.026 + 0.003])  # the lower jaw's tooth behind the bar, from below
    for back_m in (*np.linspace(0.2, 0.0, 20), *np.linspace(0.0, 0.2, 40)):
        env.set_hand_target(Pose(cabinet.BAR_M + lifted - np.array([back_m, 0.0, 0.0]), level), "world")
        env.step(0.1)
    assert any(env.touching_jaws()) or env.drawer_m > 0.01
    assert not env.holding() and not env.in_grip()
    assert env.info()["held_m"] == 0.0 and env.stages() == {"open": False}


def test_the_drawer_slides_as_far_as_it_goes_and_rubs(env):
    joint = env.model.joint("drawer")
    env.data.qvel[joint.dofadr[0]] = 0.5
    env.step(1.0)
    rest_m = env.drawer_m
    assert 0.005 < rest_m < 0.1  # friction has stopped it
    env.step(0.5)
    assert env.drawer_m == pytest.approx(rest_m, abs=1e-4)
    env.data.qpos[joint.qposadr[0]] = 0.31
    env.data.qvel[joint.dofadr[0]] = 2.0
    env.step(0.5)
    assert env.drawer_m < cabinet.TRAVEL_M + 0.005


def test_every_trial_of_the_protocol_can_be_set_up(env):
    for trial in TASK.protocol.trials(seed=3):
        env.reset(DrawerParams.sample(trial.seed, **trial.cell))
        assert env.sees_fiducial() and env.failure() is None
