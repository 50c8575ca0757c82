"""The microwave scene: its parameters, its food, what is seen of it."""

import json
from dataclasses import asdict, replace

import mujoco
import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_core.tasks import get_task
from theia_core.tasks.microwave import SEEN_FOODS
from theia_sim.envs import make_env
from theia_sim.scenes import oven, stove
from theia_sim.scenes.foods import FOODS, part_names
from theia_sim.scenes.microwave_params import MicrowaveParams


@pytest.fixture(scope="module")
def microwave_env():
    env = make_env("microwave")
    yield env
    env.close()


@pytest.fixture
def env(microwave_env):
    microwave_env.reset(MicrowaveParams.sample(0, "tomato"))
    return microwave_env


def test_a_given_food_replaces_the_drawn_one_and_changes_nothing_else():
    drawn, given = MicrowaveParams.sample(5), MicrowaveParams.sample(5, "fish")
    assert drawn == MicrowaveParams.sample(5) and drawn.food in SEEN_FOODS
    assert replace(given, food=drawn.food) == drawn


def test_pot_door_and_colours_differ_from_scene_to_scene():
    scenes = [MicrowaveParams.sample(seed, "egg") for seed in range(30)]
    pots = np.array([scene.pot_m for scene in scenes])
    assert np.all(pots.max(axis=0) - pots.min(axis=0) > 0.045)
    assert len({scene.door_rgb for scene in scenes}) == len({scene.door_rad for scene in scenes}) == 30


def test_every_food_of_the_protocol_makes_a_scene_and_others_are_refused_by_name():
    for cell in get_task("microwave").protocol.cells:
        MicrowaveParams.sample(1_000_000, **cell)
    with pytest.raises(TheiaError, match="no toy food 'pizza'; known: carrot, tomato"):
        MicrowaveParams.sample(0, "pizza")


def test_parameters_survive_json():
    params = MicrowaveParams.sample(7)
    assert MicrowaveParams.from_dict(json.loads(json.dumps(asdict(params)))) == params
    with pytest.raises(TheiaError, match="missing or unknown fields: colour"):
        MicrowaveParams.from_dict({**asdict(params), "colour": 1})


@pytest.mark.parametrize("name", FOODS)
def test_only_the_scenes_food_is_seen_and_solid_and_it_rests_in_the_pot(microwave_env, name):
    env = microwave_env
    env.reset(MicrowaveParams.sample(3, name))
    for other, food in FOODS.items():
        geoms = [env.model.geom(part).id for part in part_names(food)]
        assert (env.model.geom_group[geoms] <= 2).all() == (other == name)
        assert env.model.geom_contype[geoms].any() == (other == name)
    start_m = env.food_pose()[0]
    assert env.food_touches() == {"other"}
    assert np.hypot(*(start_m[:2] - env.params.pot_m)) < 0.03
    assert start_m[2] == pytest.approx(stove.POT_FLOOR_M + FOODS[name].bottom_m, abs=0.004)
    env.step(1.0)
    assert np.linalg.norm(env.food_pose()[0] - start_m) < 0.004
    assert env.failure() is None and not any(env.stages().values())


def test_each_food_has_its_own_weight(microwave_env):
    masses = []
    for name in ("pea_pod", "banana"):
        microwave_env.reset(MicrowaveParams.sample(3, name))
        masses.append(float(microwave_env.model.body("food").mass[0]))
    assert masses[1] > 2 * masses[0] > 0.01


def test_the_same_parameters_give_the_same_start(env):
    first = env.snapshot()
    env.step(0.5)
    env.reset(env.params)
    np.testing.assert_array_equal(env.snapshot().qpos, first.qpos)
    assert env.time_s == first.time_s == 0.0


def test_the_door_stays_open_until_it_is_pushed(env):
    start_rad = env.door_rad
    env.step(2.0)
    assert env.door_rad == pytest.approx(start_rad, abs=0.002) and 1.45 < start_rad < 1.9


@pytest.mark.parametrize("angle_rad", [0.0, 0.8, 1.7])
def test_the_computed_door_is_where_the_simulated_one_is(env, angle_rad):
    env.data.qpos[env.model.joint("oven_door").qposadr[0]] = angle_rad
    mujoco.mj_forward(env.model, env.data)
    panel = env.data.geom("door_panel").xpos
    hinge_m, along, normal = oven.door_frame(env.oven_m, angle_rad)
    offset_m = panel - hinge_m
    assert offset_m @ along == pytest.approx(oven.DOOR_WIDTH_M / 2, abs=1e-6)
    assert 0.0 < offset_m @ normal < oven.DOOR_FACE_M
    assert abs(offset_m[2]) < 0.01


def test_food_in_the_microwave_lies_on_its_floor(env):
    env.put_food(env.oven_m + np.array([0.08, 0.0, 0.05]), 0.0)
    env.step(0.6)
    assert env.food_touches() == {"turntable"} and oven.inside(env.oven_m, env.food_pose()[0])
    assert not any(env.stages().values())  # nobody carried it there


def test_the_policys_camera_sees_pot_microwave_door_and_hand(microwave_env):
    env = microwave_env
    for seed in range(12):
        env.reset(MicrowaveParams.sample(seed))
        hinge_m, along, _ = oven.door_frame(env.oven_m, env.door_rad)
        points = {
            "food": env.food_pose()[0],
            "place": env.oven_m + np.array([0.07, 0.0, 0.03]),
            "door's edge": hinge_m + oven.DOOR_WIDTH_M * along,
            "hand": env.tcp()[0],
            "hand over the door": hinge_m + 0.155 * along + np.array([0.0, 0.03, 0.127]),
        }
        for name, point_m in points.items():
            column, row = project(env, point_m)
            assert 0.02 < column < 0.98 and 0.02 < row < 0.98, (seed, name)


def project(env, point_m):
    """Column and row (0 to 1) of a point in base_link in the policy camera's 4:3 picture."""
    mujoco.mj_camlight(env.model, env.data)
    camera = env.model.camera("policy")
    rotation = env.data.cam_xmat[camera.id].reshape(3, 3)
    x, y, z = rotation.T @ (point_m - env.data.cam_xpos[camera.id])
    half = np.tan(np.radians(camera.fovy[0]) / 2)
    return 0.5 + x / -z / half / 2 * 3 / 4, 0.5 - y / -z / half / 2


def test_another_food_is_another_picture(microwave_env):
    pictures = []
    for name in ("tomato", "broccoli"):
        microwave_env.reset(MicrowaveParams.sample(2, name))
        pictures.append(microwave_env.render(320, 240).astype(int))
    changed = np.abs(pictures[0] - pictures[1]).sum(axis=2) > 60
    assert 0.0005 < changed.mean() < 0.02
