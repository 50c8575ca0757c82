"""The door scene: randomisation from the seed, and stages that only a held handle reaches."""

import json
from dataclasses import asdict, replace

import mujoco
import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_core.tasks import get_task
from theia_sim.envs import make_env
from theia_sim.scenes.door import FULLY_OPEN_RAD, OPEN_RAD, DoorParams


def turn_door(env, angle_rad, rate_rad_s=0.0):
    door = env.model.joint("door")
    env.data.qpos[door.qposadr[0]] = angle_rad
    env.data.qvel[door.dofadr[0]] = rate_rad_s


def test_equal_seeds_give_bit_identical_episodes(env):
    traces = []
    for _ in range(2):
        env.reset(DoorParams.sample(5))
        trace = [env.render(160, 120).tobytes()]
        for step in range(20):
            env.set_joint_targets(env.profile.neutral_rad + 0.02 * step)
            env.set_gripper_pwm(-300 if step > 10 else 300)
            env.step(0.1)
            trace.append(env.data.qpos.tobytes() + env.data.qvel.tobytes())
        traces.append((*trace, env.render(160, 120).tobytes()))
        env.reset(DoorParams.sample(6))  # what happened in between must not matter
        env.step(0.3)
    assert traces[0] == traces[1]


def test_different_seeds_differ_in_pose_colours_lights_and_camera():
    one, other = DoorParams.sample(1), DoorParams.sample(2)
    differing = {name for name, value in asdict(one).items() if value != asdict(other)[name]}
    assert differing == set(asdict(one))


def test_given_positions_replace_the_draw_and_change_nothing_else():
    drawn, given = DoorParams.sample(3), DoorParams.sample(3, base_height_m=0.44, x_position_m=-0.03)
    assert (given.base_height_m, given.x_position_m) == (0.44, -0.03)
    assert replace(given, base_height_m=drawn.base_height_m, x_position_m=drawn.x_position_m) == drawn


def test_every_cell_of_the_protocol_is_a_scene():
    for cell in get_task("door").protocol.cells:
        DoorParams.sample(1_000_000, **cell)


@pytest.mark.parametrize("cell", [{"base_height_m": 0.6}, {"x_position_m": 0.2}, {"x_position_m": np.nan}])
def test_positions_out_of_reach_are_refused(cell):
    with pytest.raises(TheiaError, match="out of the arm's reach"):
        DoorParams.sample(0, **cell)


def test_parameters_survive_json():
    params = DoorParams.sample(7)
    assert DoorParams.from_dict(json.loads(json.dumps(asdict(params)))) == params


def test_parameters_with_wrong_fields_are_refused():
    values = asdict(DoorParams.sample(7))
    values["colour"] = values.pop("door_rgb")
    with pytest.raises(TheiaError, match="colour, door_rgb"):
        DoorParams.from_dict(values)


def test_height_and_place_of_the_base_move_the_handle_in_the_arms_frame(env):
    env.reset(DoorParams.sample(0, 0.40, 0.0))
    low = env.bar_position()
    env.reset(DoorParams.sample(0, 0.46, 0.06))
    np.testing.assert_allclose(env.bar_position() - low, (0.0, -0.06, -0.06), atol=1e-12)


@pytest.mark.parametrize("angle_rad", [0.0, 0.7, 1.5])
def test_the_computed_bar_is_where_the_simulated_one_is(env, angle_rad):
    turn_door(env, angle_rad)
    mujoco.mj_forward(env.model, env.data)
    base = env.model.body("arm_base").id
    simulated = env.data.geom("bar").xpos - env.data.xpos[base]
    np.testing.assert_allclose(env.bar_position(), simulated, atol=1e-9)


def test_a_door_that_opens_without_the_hand_reaches_no_stage(env):
    for angle_rad in np.linspace(0.0, 1.5, 40):
        turn_door(env, angle_rad)
        env.step(0.01)
    assert env.door_angle_rad > FULLY_OPEN_RAD
    assert env.stages() == {"open": False, "fully_open": False}


def test_a_door_that_is_thrown_open_reaches_no_stage(env):
    turn_door(env, 0.05, rate_rad_s=8.0)
    env.step(1.0)
    assert env.door_angle_rad > OPEN_RAD
    assert env.stages() == {"open": False, "fully_open": False}


def test_the_part_of_the_way_without_a_grip_does_not_count(env, monkeypatch):
    monkeypatch.setattr(env, "in_grip", lambda: env.door_angle_rad < 0.5)
    for angle_rad in np.linspace(0.0, 1.5, 60):
        turn_door(env, angle_rad)
        env.step(0.01)
    assert env.stages() == {"open": True, "fully_open": False}


def test_a_door_pulled_by_its_held_bar_reaches_both_stages_in_order(env, monkeypatch):
    monkeypatch.setattr(env, "in_grip", lambda: True)
    order = []
    for angle_rad in np.linspace(0.0, 1.5, 60):
        turn_door(env, angle_rad)
        env.step(0.01)
        order += [name for name, reached in env.stages().items() if reached and name not in order]
    assert order == ["open", "fully_open"]


def test_stages_stay_reached_when_the_door_falls_shut_and_are_forgotten_by_a_reset(env, monkeypatch):
    monkeypatch.setattr(env, "in_grip", lambda: True)
    for angle_rad in (0.2, 0.5, 0.0):
        turn_door(env, angle_rad)
        env.step(0.01)
    assert env.stages()["open"]
    env.reset(env.params)
    assert not env.stages()["open"]


@pytest.mark.parametrize(
    ("pads", "aside_m", "in_grip"), [(2, 0.0, True), (1, 0.004, True), (0, 0.0, False), (1, 0.02, False)]
)
def test_the_grip_is_a_bar_between_the_pads_that_one_of_them_touches(
    env, monkeypatch, pads, aside_m, in_grip
):
    monkeypatch.setattr(env, "_touching_pads", lambda: pads)
    position_m, rotation = env.tcp()
    monkeypatch.setattr(env, "bar_position", lambda: position_m + aside_m * rotation[:, 1])
    monkeypatch.setattr(env, "finger_m", lambda: 0.021)
    assert env.in_grip() is in_grip


def test_an_unstable_simulation_is_a_failure(env, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # MuJoCo logs its warning into the working directory
    assert env.failure() is None
    env.data.qvel[0] = np.nan
    env.step(0.02)
    assert "unstable" in env.failure()
    env.reset(env.params)
    assert env.failure() is None


def test_unknown_tasks_are_named():
    with pytest.raises(TheiaError, match="'laundry'"):
        make_env("laundry")
