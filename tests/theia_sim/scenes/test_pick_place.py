"""The pick-and-place scene: randomisation from the seed, and a cup that stands where its parameters say."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_core.tasks import get_task
from theia_core.tasks.pick_place import CUP_PLACES_M
from theia_sim.envs import make_env
from theia_sim.scenes import cup, rack, sink
from theia_sim.scenes.pick_place import tilt_rad
from theia_sim.scenes.pick_place_params import PickPlaceParams

TASK = get_task("pick_place")


@pytest.fixture(scope="module")
def scene():
    env = make_env("pick_place")
    yield env
    env.close()


@pytest.fixture
def env(scene):
    scene.reset(PickPlaceParams.sample(0))
    return scene


def test_equal_seeds_give_bit_identical_episodes(env):
    traces = []
    for _ in range(2):
        env.reset(PickPlaceParams.sample(5))
        trace = [env.render(160, 120).tobytes()]
        for step in range(8):
            env.set_joint_targets(env.profile.neutral_rad + 0.03 * step)
            env.step(0.1)
            trace.append(env.data.qpos.tobytes() + env.data.qvel.tobytes())
        traces.append(trace)
        env.reset(PickPlaceParams.sample(6))  # what happened in between must not matter
    assert traces[0] == traces[1]


def test_different_seeds_differ_in_everything_but_the_side_of_the_handle():
    one, other = (asdict(PickPlaceParams.sample(seed)) for seed in (1, 2))
    assert {name for name in one if one[name] == other[name]} <= {"handle"}
    assert {PickPlaceParams.sample(seed).handle for seed in range(8)} == {"left", "right"}


def test_given_values_replace_the_draw_and_change_nothing_else():
    drawn = PickPlaceParams.sample(3)
    given = PickPlaceParams.sample(3, cup_place="back_left", handle="right")
    assert (given.cup_place, given.handle) == (CUP_PLACES_M["back_left"], "right")
    assert replace(given, cup_place=drawn.cup_place, handle=drawn.handle) == drawn
    assert PickPlaceParams.sample(3, cup_place=(0.01, -0.02)).cup_place == (0.01, -0.02)


def test_demonstrations_are_scenes():
    for seed in range(20):
        PickPlaceParams.sample(seed, **TASK.sample_training_params(seed))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ({"cup_place": "floor"}, "no place 'floor'; known: front_left"),
        ({"cup_place": (0.2, 0.0)}, "not in the sink"),
        ({"cup_place": (np.nan, 0.0)}, "not in the sink"),
        ({"handle": "up"}, "choose left or right"),
    ],
)
def test_places_and_handles_that_do_not_exist_are_refused(cell, message):
    with pytest.raises(TheiaError, match=message):
        PickPlaceParams.sample(0, **cell)


def test_parameters_survive_json_and_wrong_fields_are_refused():
    params = PickPlaceParams.sample(7)
    values = json.loads(json.dumps(asdict(params)))
    assert PickPlaceParams.from_dict(values) == params
    values["colour"] = values.pop("cup_rgb")
    with pytest.raises(TheiaError, match="colour, cup_rgb"):
        PickPlaceParams.from_dict(values)


@pytest.mark.parametrize("handle", TASK.protocol.axes["handle"])
@pytest.mark.parametrize("place", TASK.protocol.axes["cup_place"])
def test_the_cup_stands_in_the_sink_with_its_handle_on_that_side(env, place, handle):
    env.reset(PickPlaceParams.sample(1_000_000, cup_place=place, handle=handle))
    foot_m, rotation = env.cup_pose()
    wanted_m = [*(env.sink_m + CUP_PLACES_M[place]), sink.FLOOR_M]
    np.testing.assert_allclose(foot_m, wanted_m, atol=0.001)
    assert tilt_rad(rotation) < 0.01
    assert (rotation[1, 0] > 0.9) == (handle == "left")
    assert env.cup_touches() == {"other"} and not env.holding()


def test_the_rack_is_on_the_sinks_left_and_the_cup_fits_into_it(env):
    assert env.rack_m[1] - rack.HALF_Y_M > env.sink_m[1] + sink.HALF_Y_M - 0.02
    assert min(rack.HALF_X_M, rack.HALF_Y_M) > cup.RADIUS_M
    env.put_cup(env.rack_m + np.array([0.0, 0.0, rack.FLOOR_M + 0.003]), handle_rad=0.0)
    env.step(0.5)
    foot_m, rotation = env.cup_pose()
    assert "rack_floor" in env.cup_touches() and rack.inside(env.rack_m, foot_m)
    assert tilt_rad(rotation) < 0.01


def test_a_cup_that_is_put_into_the_rack_by_no_hand_reaches_no_stage(env):
    env.put_cup(env.rack_m + np.array([0.0, 0.0, 0.10]), handle_rad=0.0)
    env.step(1.0)
    assert "rack_floor" in env.cup_touches()
    assert env.stages() == {"pick": False, "place": False}


def test_the_policys_camera_sees_the_pink_cup_in_every_place(env):
    for place in CUP_PLACES_M:
        env.reset(PickPlaceParams.sample(3, cup_place=place))
        picture = env.render(160, 120).astype(int)
        red, green, blue = (picture[..., channel] for channel in range(3))
        pink = (red > 120) & (red - green > 40) & (blue - green > 10)
        assert pink.sum() > 150, place
