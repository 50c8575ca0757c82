"""The guard in front of the simulated arm (no rendering): it holds without drift and decides fast."""

import time

import numpy as np

from theia_core.actions.chunks import ActionChunk
from theia_core.actions.guard import Guard, GuardMode
from theia_sim.envs import make_env
from theia_sim.scenes.door import DoorParams

from .conftest import KINEMATICS, LIMITS, PROFILE, Rig, delta


def test_holding_60_s_the_simulated_arm_drifts_less_than_a_millimetre():
    env = make_env("door")
    env.reset(DoorParams.sample(1))
    guard = Guard(PROFILE, KINEMATICS)
    picked = [env.joint_state().names.index(name) for name in (*PROFILE.joint_names, PROFILE.finger_joint)]

    hand = env.model.body("wrist_rotate_link").id

    def tick():
        env.data.xfrc_applied[hand, 2] = -2.0  # a load of 200 g: what holds the measured pose sinks under it
        guard.on_joint_state(env.time_s, env.joint_state().position[picked])
        command = guard.tick(env.time_s)
        if command is not None:
            env.set_joint_targets(command.joints_rad)
            env.set_gripper_pwm(command.gripper_pwm)
        env.step(LIMITS.tick_s)

    tick()
    assert guard.arm(env.time_s) is None
    actions = np.tile(np.array(delta(x=0.02, z=0.02, gripper=0.0), np.float32), (5, 1))
    assert guard.on_chunk(env.time_s, ActionChunk(env.time_s, 0.2, actions, env.time_s + 1, 1)) is None
    for _ in range(50):
        tick()
    assert guard.mode == GuardMode.HOLD
    setpoint, began_m = guard.setpoint.copy(), env.tcp()[0]
    farthest_m = 0.0
    for _ in range(3000):
        tick()
        farthest_m = max(farthest_m, float(np.linalg.norm(env.tcp()[0] - began_m)))
        assert np.array_equal(guard.setpoint, setpoint)
    print(f"drift in 60 s of HOLD: {1000 * farthest_m:.3f} mm")
    assert farthest_m < 1e-3


def test_checks_and_inverse_kinematics_take_less_than_ten_milliseconds():
    rng = np.random.default_rng(0)
    rig, times_ms = Rig(), []
    for _ in range(400):
        scale = np.array([0.05] * 3 + [0.25] * 3 + [1.0])
        rig.send((rng.uniform(-1, 1, (5, 7)) * scale).astype(np.float32))
        for _ in range(10):
            begun_s = time.thread_time()
            rig.guard.tick(rig.now_s + 0.02)
            if rig.guard.playback._next_step_s == rig.now_s + 0.02 + LIMITS.step_s:  # this tick took a step
                times_ms.append(1000 * (time.thread_time() - begun_s))
            rig.tick()
    p50, p99 = np.percentile(times_ms, [50, 99])
    print(f"a tick with checks and IK, {len(times_ms)} steps: p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    assert len(times_ms) > 300 and sum(rig.guard.refusals.values()) > 20
    assert p99 < 10
