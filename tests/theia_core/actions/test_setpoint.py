"""The commanded 50 Hz joints: bounded in velocity and acceleration, smooth, and able to stop anywhere."""

from dataclasses import replace

import numpy as np
import pytest

from theia_core.actions.checks import Envelope
from theia_core.actions.profile import Workspace
from theia_core.actions.setpoint import Setpoint

from .conftest import KINEMATICS, LIMITS, PROFILE, Rig, delta


def test_velocity_between_ticks_is_bounded():
    rig = Rig()
    before, fastest = rig.joints, 0.0
    for step in range(20):
        rig.send([delta(x=0.05 * (-1) ** step, y=0.05, rz=0.25)] * 5)
        for _ in range(10):
            rig.tick()
            fastest = max(fastest, np.max(np.abs(rig.joints - before)) / 0.02)
            before = rig.joints
    assert 1.0 < fastest <= LIMITS.max_joint_velocity_rad_s * (1 + 1e-9)


def test_the_seam_of_two_chunks_bounds_the_acceleration_of_the_commanded_joints():
    rig = Rig()
    joints = [rig.joints.copy()] * 2
    for step in range(25):
        rig.send([delta(x=0.05 * (-1) ** step, y=0.03, rz=0.25 * (-1) ** step)] * 3)
        for _ in range(9 + step % 3):  # chunks come early and late
            rig.tick()
            joints.append(rig.joints.copy())
    velocity = np.diff(joints, axis=0) / LIMITS.tick_s
    acceleration = np.abs(np.diff(velocity, axis=0)).max() / LIMITS.tick_s
    assert acceleration <= LIMITS.max_joint_acceleration_rad_s2 * (1 + 1e-6)
    assert np.abs(velocity).max() > 0.8, "too slow to say anything"


def test_steady_motion_has_no_ripple_at_the_seams():
    rig = Rig()
    joints = []
    for _ in range(8):
        rig.send([delta(x=0.015)] * 5)
        for _ in range(10):
            rig.tick()
            joints.append(KINEMATICS.fk(rig.joints)[0][0])
    speed_m_s = np.diff(joints)[20:] / LIMITS.tick_s
    assert np.ptp(speed_m_s) < 0.2 * np.mean(speed_m_s)


def test_after_a_late_tick_the_stream_does_not_jump():
    rig = Rig()
    rig.send([delta(x=0.05)] * 5, life_s=2.0)
    rig.run(0.06)
    before = rig.joints.copy()
    rig.now_s += 0.1
    rig.tick()
    assert np.abs(rig.joints - before).max() <= LIMITS.max_joint_velocity_rad_s * LIMITS.tick_s + 1e-9


@pytest.mark.parametrize(
    ("joint", "sign"),
    [("waist", 1), ("shoulder", 1), ("elbow", -1), ("wrist_angle", 1), ("wrist_rotate", -1)],
)
def test_home_from_full_speed_towards_a_limit_brakes_before_it_and_arrives(joint, sign):
    joint = PROFILE.joint_names.index(joint)
    limit_rad = (PROFILE.joint_upper_rad if sign > 0 else PROFILE.joint_lower_rad)[joint]
    start_rad, goal_rad = PROFILE.neutral_rad.copy(), PROFILE.neutral_rad.copy()
    start_rad[joint], goal_rad[joint] = limit_rad - 0.3 * sign, limit_rad
    everywhere = Workspace(np.full(3, -2.0), np.full(3, 2.0), floor_m=-2.0)
    envelope = Envelope(replace(PROFILE, tasks={"door": everywhere}), KINEMATICS, "door")
    setpoint = Setpoint(KINEMATICS, envelope, LIMITS, start_rad)
    setpoint._go(goal_rad, KINEMATICS.fk(goal_rad), 0.0, LIMITS.max_joint_velocity_rad_s)
    joints = [start_rad] * 2
    for tick in range(1, 800):
        if tick == 8:
            assert abs(setpoint.velocity_rad_s[joint]) > 1.5, "too slow to say anything"
            setpoint.ramp_to(tick * LIMITS.tick_s, PROFILE.neutral_rad)
        setpoint.advance(tick * LIMITS.tick_s)
        joints.append(setpoint.joints_rad)
    joints = np.array(joints)
    assert np.all(joints >= PROFILE.joint_lower_rad) and np.all(joints <= PROFILE.joint_upper_rad)
    acceleration = np.abs(np.diff(joints, n=2, axis=0)).max() / LIMITS.tick_s**2
    assert acceleration <= LIMITS.max_joint_acceleration_rad_s2 * (1 + 1e-6)
    assert np.abs(np.diff(joints[14:], axis=0)).max() / LIMITS.tick_s <= LIMITS.ramp_rad_s * (1 + 1e-9)
    np.testing.assert_array_equal(joints[-1], PROFILE.neutral_rad)
