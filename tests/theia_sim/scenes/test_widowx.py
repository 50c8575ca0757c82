"""The simulated arm against the vendor's kinematics and what xs_sdk does with it."""

import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_sim.envs import make_env
from theia_sim.scenes.arm_env import gripper_rad, gripper_rad_per_m


def place_arm(env, joints_rad):
    import mujoco

    env.data.qpos[[env.model.joint(name).qposadr[0] for name in env.profile.joint_names]] = joints_rad
    mujoco.mj_forward(env.model, env.data)


@pytest.mark.parametrize(
    ("joints_rad", "position_m", "tolerance_m"),
    [
        (np.zeros(6), (0.458325, 0.0, 0.36065), 1e-6),  # all zeros, from the Interbotix URDF
        ([0, -1.80, 1.55, 0, 0.8, 0], (0.123, 0.0, 0.081), 6e-4),  # Interbotix' sleep pose, rounded to 1 mm
    ],
)
def test_the_tool_is_where_the_vendor_says(env, joints_rad, position_m, tolerance_m):
    place_arm(env, joints_rad)
    np.testing.assert_allclose(env.tcp()[0], position_m, atol=tolerance_m)


def test_joint_states_come_in_the_order_of_xs_sdk(env):
    state = env.joint_state()
    assert state.names == (
        "waist",
        "shoulder",
        "elbow",
        "forearm_roll",
        "wrist_angle",
        "wrist_rotate",
        "gripper",
        "left_finger",
        "right_finger",
    )
    for values in (state.position, state.velocity, state.effort):
        assert values.shape == (9,) and np.all(np.isfinite(values))
    np.testing.assert_allclose(state.position[:6], env.params.start_rad)


def test_servos_stop_at_the_joint_limits(env):
    env.set_joint_targets([9.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    env.step(6.0)
    assert env.joint_state().position[0] <= env.profile.joint_upper_rad[0] + 0.01


def test_servos_reach_and_hold_their_goal(env):
    goal_rad = env.profile.neutral_rad + np.array([0.2, 0.1, -0.1, 0.1, -0.2, 0.3])
    env.set_joint_targets(goal_rad)
    env.step(1.5)
    np.testing.assert_allclose(env.joint_state().position[:6], goal_rad, atol=5e-3)


@pytest.mark.parametrize("goal", [np.full(6, np.nan), np.zeros(5)])
def test_a_goal_that_is_not_six_angles_is_refused(env, goal):
    with pytest.raises(TheiaError, match="6 finite angles"):
        env.set_joint_targets(goal)


@pytest.mark.parametrize(("pwm", "speed_m_s"), [(300, 0.06), (150, 0.03)])
def test_fingers_move_with_the_pwm(env, pwm, speed_m_s):
    env.set_gripper_pwm(-350)
    env.step(1.0)
    assert env.finger_m() == pytest.approx(0.015, abs=5e-4)
    env.set_gripper_pwm(pwm)
    env.step(0.1)
    before_m = env.finger_m()
    env.step(0.1)
    assert (env.finger_m() - before_m) / 0.1 == pytest.approx(speed_m_s, rel=0.15)
    env.step(1.0)
    assert env.finger_m() == pytest.approx(0.037, abs=5e-4)
    state = env.joint_state()
    assert state.position[7] == pytest.approx(-state.position[8], abs=2e-4)


def test_the_gripper_keeps_pushing_until_told_otherwise(env):
    env.set_gripper_pwm(-250)
    env.step(3.0)
    pushing_n = env.joint_state().effort[7]
    assert pushing_n < -5.0
    env.step(5.0)
    assert env.joint_state().effort[7] == pytest.approx(pushing_n, abs=1e-6)


def test_pwm_beyond_the_useful_range_is_clipped(env):
    env.set_gripper_pwm(-5000)
    env.step(1.0)
    strongest_n = env.joint_state().effort[7]
    env.set_gripper_pwm(-350)
    env.step(0.01)
    assert env.joint_state().effort[7] == pytest.approx(strongest_n)


def test_the_gripper_angle_follows_crank_and_rod():
    # xs_sdk: finger = horn sin(angle) + sqrt(rod^2 - horn^2 cos(angle)^2), horn 14 mm, rod 24 mm
    for finger_m in (0.015, 0.024, 0.037):
        angle = gripper_rad(finger_m)
        assert 0.014 * np.sin(angle) + np.sqrt(0.024**2 - (0.014 * np.cos(angle)) ** 2) == pytest.approx(
            finger_m
        )
        slope = (gripper_rad(finger_m + 1e-7) - gripper_rad(finger_m - 1e-7)) / 2e-7
        assert gripper_rad_per_m(finger_m) == pytest.approx(slope, rel=1e-4)


def test_without_torque_the_arm_sinks_softly_and_with_torque_it_holds_again(env):
    env.step(0.5)
    height_m = env.tcp()[0][2]
    env.set_torque("arm", False)
    assert not env.torque_is_on("arm") and env.torque_is_on("gripper")
    env.step(1.0)
    sunk_m = height_m - env.tcp()[0][2]
    assert sunk_m > 0.03
    assert np.max(np.abs(env.joint_state().velocity[:6])) < 3.0
    env.set_torque("arm", True)
    env.step(0.5)
    held_m = env.tcp()[0]
    env.step(1.0)
    np.testing.assert_allclose(env.tcp()[0], held_m, atol=1e-3)


def test_a_gripper_without_torque_ignores_its_pwm_and_does_not_start_by_itself(env):
    env.set_gripper_pwm(-300)
    env.set_torque("gripper", False)
    finger_m = env.finger_m()
    env.step(0.5)
    env.set_torque("gripper", True)
    env.step(0.5)
    assert env.finger_m() == pytest.approx(finger_m, abs=1e-3)


def test_a_reset_restores_torque(env):
    env.set_torque("all", False)
    env.reset(env.params_type.sample(1))
    assert env.torque_is_on("arm") and env.torque_is_on("gripper")
    env.step(1.0)
    np.testing.assert_allclose(env.joint_state().position[:6], env.params.start_rad, atol=0.02)


def test_an_unknown_motor_group_is_named(env):
    with pytest.raises(TheiaError, match="'legs'"):
        env.set_torque("legs", False)


def test_without_the_mesh_package_the_arm_is_drawn_and_moves_the_same(env, monkeypatch):
    monkeypatch.setattr("theia_sim.scenes.widowx.widowx_mesh_folder", lambda: None)
    plain = make_env("door")
    plain.reset(plain.params_type.sample(0))
    assert plain.model.nmesh < env.model.nmesh
    for one in (env, plain):
        one.set_joint_targets(one.profile.neutral_rad + 0.2)
        one.set_gripper_pwm(-300)
        one.step(0.5)
    np.testing.assert_allclose(plain.data.qpos, env.data.qpos, atol=1e-12)
    with_arm = plain.render(160, 120).astype(int)
    plain.set_joint_targets(plain.profile.sleep_rad)
    plain.step(2.0)
    assert np.mean(np.abs(plain.render(160, 120) - with_arm).max(-1) > 20) > 0.02
    plain.close()
