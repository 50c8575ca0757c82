"""The guard refuses, holds and says why."""

import time

import numpy as np
import pytest

from theia_core.actions.chunks import ActionChunk
from theia_core.actions.guard import Guard, GuardMode
from theia_core.actions.kinematics import ArmKinematics
from theia_core.actions.profile import load_profile
from theia_sim.envs import make_env
from theia_sim.scenes.door import DoorParams

PROFILE = load_profile("wx250s")
KINEMATICS = ArmKinematics(PROFILE)
LIMITS = PROFILE.guard
BRAKING_S = LIMITS.max_joint_velocity_rad_s / LIMITS.max_joint_acceleration_rad_s2


def solving(solve):
    """Kinematics of the same arm whose inverse is `solve`."""
    kinematics = ArmKinematics(PROFILE)
    kinematics.ik = solve
    return kinematics


class Rig:
    """A guard with an ideal arm (measures what it was told) and a clock that the test turns."""

    def __init__(self, start_rad=PROFILE.neutral_rad, task="door", kinematics=KINEMATICS):
        self.guard, self.now_s, self.joints = (
            Guard(PROFILE, kinematics, task),
            100.0,
            np.array(start_rad, float),
        )
        self.sequence = 0
        self.driver_alive = True
        self.tick()
        assert self.guard.arm(self.now_s) is None

    def tick(self):
        self.now_s += 0.02
        if self.driver_alive:
            self.guard.on_joint_state(self.now_s, np.append(self.joints, 0.03))
        command = self.guard.tick(self.now_s)
        if command is not None:
            self.joints = command.joints_rad
        return command

    def run(self, seconds):
        for _ in range(round(seconds / 0.02)):
            self.tick()

    def send(self, actions, *, age_s=0.05, life_s=0.4, **overrides):
        self.sequence += 1
        values = dict(
            stamp_s=self.now_s - age_s,
            dt_s=0.2,
            actions=np.asarray(actions, np.float32),
            expires_at_s=self.now_s - age_s + life_s,
            sequence=self.sequence,
            policy_id="test@0",
        )
        return self.guard.on_chunk(self.now_s, ActionChunk(**(values | overrides)))

    def position(self):
        return KINEMATICS.fk(self.joints)[0]


def delta(x=0.0, y=0.0, z=0.0, rx=0.0, ry=0.0, rz=0.0, gripper=1.0):
    return [x, y, z, rx, ry, rz, gripper]


def test_executes_deltas_in_the_base_frame():
    rig = Rig()
    start = rig.position()
    for _ in range(5):
        assert rig.send([delta(x=0.02, z=-0.01)] * 10) is None
        rig.run(0.2)
    rig.run(0.08)
    np.testing.assert_allclose(rig.position() - start, [0.1, 0, -0.05], atol=3e-3)
    assert rig.guard.mode == GuardMode.ACTIVE
    assert sum(rig.guard.refusals.values()) == 0


def test_replayed_tail_continues_where_the_chunk_stopped():
    rig = Rig()
    start = rig.position()
    chunk = ActionChunk(
        rig.now_s - 0.05,
        0.2,
        np.array([delta(x=0.01), delta(x=0.02), delta(x=0.03)], np.float32),
        rig.now_s + 0.3,
        1,
    )
    for step in range(3):
        assert rig.guard.on_chunk(rig.now_s, chunk.tail(step, step + 1, rig.now_s + 0.3)) is None
        rig.run(0.2)
    rig.run(0.04)
    np.testing.assert_allclose(rig.position() - start, [0.06, 0, 0], atol=2e-3)


def test_velocity_between_ticks_is_bounded_by_the_step_limits():
    rig = Rig()
    before, fastest = rig.joints, 0.0
    for step in range(20):
        rig.send([delta(x=0.05 * (-1) ** step, y=0.05, rz=0.25)] * 5)
        for _ in range(10):
            rig.tick()
            fastest = max(fastest, np.max(np.abs(rig.joints - before)) / 0.02)
            before = rig.joints
    assert fastest <= PROFILE.guard.max_joint_step_rad / PROFILE.guard.step_s * 1.3


def test_silence_of_the_policy_holds_within_400_ms_and_says_why():
    rig = Rig()
    rig.send([delta(x=0.03)] * 10, life_s=5.0)
    rig.run(0.40)
    assert rig.guard.mode == GuardMode.HOLD
    assert "no action chunk" in rig.guard.reason
    still = rig.position()
    rig.run(1.0)
    np.testing.assert_allclose(rig.position(), still, atol=1e-9)


def test_hold_does_not_drift_when_the_arm_sags():
    rig = Rig()
    rig.send([delta(x=0.01)])
    rig.run(1.0)
    command = rig.guard.setpoint.copy()
    for _ in range(500):
        rig.now_s += 0.02
        rig.guard.on_joint_state(rig.now_s, np.append(command - 0.05, 0.03))
        assert rig.guard.tick(rig.now_s) is not None
    np.testing.assert_array_equal(rig.guard.setpoint, command)


def test_motion_resumes_after_a_short_silence_but_not_after_a_long_one():
    rig = Rig()
    rig.send([delta(x=0.01)] * 5)
    rig.run(0.8)
    assert rig.guard.mode == GuardMode.HOLD
    assert rig.send([delta(x=0.01)] * 5) is None
    assert rig.guard.mode == GuardMode.ACTIVE
    rig.run(3.0)
    assert rig.send([delta(x=0.01)] * 5) == "not_active"
    assert rig.guard.mode == GuardMode.HOLD


def test_refuses_nan_and_stops():
    rig = Rig()
    rig.send([delta(x=0.03)] * 10)
    rig.run(0.1)
    assert rig.send([delta(x=np.nan)]) == "non_finite"
    rig.run(BRAKING_S)
    still = rig.position()
    rig.run(0.1)
    np.testing.assert_allclose(rig.position(), still, atol=1e-9)
    assert rig.guard.reason == "refused: non_finite"


def test_refuses_a_step_out_of_the_workspace():
    rig = Rig()
    for _ in range(25):
        rig.send([delta(y=0.04)] * 5)
        rig.run(0.2)
    assert rig.guard.refusals["workspace"] > 0
    assert rig.position()[1] <= PROFILE.workspace("door").workspace_max_m[1] + 1e-3
    assert rig.send([delta(y=-0.04)] * 5) is None
    before = rig.position()[1]
    rig.run(0.3)
    assert rig.position()[1] < before - 0.02


def test_refuses_a_pose_that_the_arm_cannot_reach():
    rig = Rig()
    for _ in range(12):
        rig.send([delta(ry=-0.25)] * 5)
        rig.run(0.2)
    assert rig.guard.refusals["ik_failure"] + rig.guard.refusals["joint_step"] > 0
    assert np.all(rig.joints <= PROFILE.joint_upper_rad) and np.all(rig.joints >= PROFILE.joint_lower_rad)


def test_refuses_a_joint_step_that_a_small_pose_step_would_need():
    rig = Rig(kinematics=solving(lambda position_m, rotation, start_rad: start_rad + 1.5 * np.eye(6)[3]))
    rig.send([delta(x=0.01)])
    still = rig.joints
    rig.run(0.2)
    assert rig.guard.refusals["joint_step"] == 1
    np.testing.assert_array_equal(rig.joints, still)


def test_refuses_joints_beyond_their_limits():
    rig = Rig(kinematics=solving(lambda *_: PROFILE.joint_upper_rad + 0.01))
    rig.send([delta(x=0.01)])
    rig.run(0.2)
    assert rig.guard.refusals["joint_limit"] == 1


def test_refuses_an_expired_chunk():
    rig = Rig()
    assert rig.send([delta(x=0.01)], age_s=0.5, life_s=0.4) == "expired"


def test_refuses_an_older_sequence_number():
    rig = Rig()
    assert rig.send([delta()] * 5) is None
    assert rig.send([delta()] * 5, sequence=1) == "stale_sequence"


@pytest.mark.parametrize(
    "overrides",
    [
        {"actions": np.zeros((3, 6), np.float32)},
        {"action_space": "ee_pose"},
        {"dt_s": 0.0},
        {"dt_s": 0.02},
        {"actions": np.zeros(7)},
    ],
)
def test_refuses_malformed_chunks(overrides):
    rig = Rig()
    assert rig.send(**({"actions": [delta()]} | overrides)) == "malformed"


def test_refuses_chunks_before_it_is_armed():
    guard = Guard(PROFILE, KINEMATICS)
    assert guard.on_chunk(0.0, ActionChunk(0.0, 0.2, np.zeros((5, 7), np.float32), 1.0, 1)) == "not_active"
    assert guard.tick(0.0) is None
    assert guard.arm(0.0) is not None


def test_clips_a_large_action_instead_of_playing_it():
    rig = Rig()
    start = rig.position()
    rig.send([delta(x=0.5)])
    rig.run(0.3)
    assert np.linalg.norm(rig.position() - start) < 0.051


def test_drops_late_actions_instead_of_playing_them_faster():
    rig = Rig()
    start = rig.position()
    rig.send([delta(x=0.05), delta(x=0.05), delta(x=0.01)], age_s=0.42, life_s=0.9)
    rig.run(0.2)
    assert rig.guard.playback.dropped_late == 2
    np.testing.assert_allclose(rig.position() - start, [0.01, 0, 0], atol=2e-3)


def test_an_order_to_hold_carries_the_policys_reason():
    rig = Rig()
    rig.send([delta(x=0.02)] * 5)
    rig.run(0.1)
    assert rig.send(np.zeros((0, 7)), reason="tokens stale: encoder silent for 0.31 s") is None
    assert rig.guard.mode == GuardMode.HOLD
    assert "encoder silent" in rig.guard.reason


def test_lost_joint_states_fault_until_cleared_and_armed():
    rig = Rig()
    rig.driver_alive = False
    rig.run(0.2)
    assert rig.guard.mode == GuardMode.FAULT and "joint_states" in rig.guard.reason
    rig.driver_alive = True
    rig.tick()
    assert rig.send([delta()]) == "not_active"
    assert "clear" in rig.guard.arm(rig.now_s)
    rig.guard.clear(rig.now_s)
    assert rig.guard.mode == GuardMode.HOLD
    assert rig.guard.arm(rig.now_s) is None


def test_short_joint_state_is_an_overload_fault():
    rig = Rig()
    rig.guard.on_joint_state(rig.now_s, np.zeros(5))
    assert rig.guard.mode == GuardMode.FAULT and "overloaded" in rig.guard.reason


def test_sustained_tracking_error_faults():
    rig = Rig()
    for _ in range(60):
        rig.now_s += 0.02
        rig.guard.on_joint_state(rig.now_s, np.append(PROFILE.neutral_rad + 0.7, 0.03))
        rig.guard.tick(rig.now_s)
    assert rig.guard.mode == GuardMode.FAULT and "from its setpoint" in rig.guard.reason


def test_estop_latches_and_keeps_holding():
    rig = Rig()
    rig.send([delta(x=0.03)] * 5)
    rig.run(0.1)
    rig.guard.estop(rig.now_s, "red button")
    assert rig.send([delta(x=0.03)] * 5) == "not_active"
    rig.run(BRAKING_S)
    still = rig.position()
    rig.run(0.5)
    np.testing.assert_allclose(rig.position(), still, atol=1e-9)
    assert rig.guard.mode == GuardMode.ESTOP and rig.guard.arm(rig.now_s) is not None


def test_gripper_pushes_then_relaxes_to_the_holding_level():
    rig = Rig()
    pwms = []
    for _ in range(8):
        rig.send([delta(gripper=0.0)] * 5)
        for _ in range(10):
            pwms.append(rig.tick().gripper_pwm)
    assert min(pwms) == -PROFILE.gripper.pwm
    assert pwms[-1] == -PROFILE.gripper.hold_pwm


def test_home_moves_slowly_to_the_neutral_pose():
    rig = Rig(start_rad=PROFILE.neutral_rad + 0.3)
    assert rig.guard.home(rig.now_s) is None
    before = rig.joints
    for _ in range(60):
        rig.tick()
        assert np.max(np.abs(rig.joints - before)) <= PROFILE.guard.ramp_rad_s * 0.02 + 1e-9
        before = rig.joints
    np.testing.assert_allclose(rig.joints, PROFILE.neutral_rad, atol=1e-9)
    assert rig.guard.mode == GuardMode.HOLD


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


def test_refuses_stale_and_future_chunks():
    rig = Rig()
    assert rig.send([delta(x=0.01)] * 3, age_s=0.61, life_s=2.0) == "stale"
    assert rig.send([delta(x=0.01)] * 3, age_s=-1.0, life_s=2.0) == "future"


def test_keeps_elbow_and_fingers_off_the_table():
    rig = Rig()
    for _ in range(20):
        rig.send([delta(z=-0.04, x=0.01)] * 5)
        rig.run(0.2)
        assert np.all(KINEMATICS.heights(rig.joints)[1] >= -1e-9)
    assert rig.guard.refusals["clearance"] > 0


def test_full_gripper_force_ends_in_every_mode():
    orders = {
        "hold": lambda guard, now_s: guard.hold(now_s),
        "estop": lambda guard, now_s: guard.estop(now_s),
        "fault": lambda guard, now_s: guard.on_joint_state(now_s, np.zeros(5)),
        "disarm": lambda guard, now_s: guard.disarm(now_s),
    }
    for name, order in orders.items():
        rig = Rig()
        rig.run(1.1)
        rig.send([delta(gripper=0.0)] * 5)
        rig.guard.arm(rig.now_s)
        rig.send([delta(gripper=0.0)] * 5)
        rig.run(0.04)
        assert rig.guard.gripper.pwm(rig.now_s) == -PROFILE.gripper.pwm
        order(rig.guard, rig.now_s)
        rig.run(1.2)
        assert abs(rig.guard.gripper.pwm(rig.now_s)) == PROFILE.gripper.hold_pwm, name


def test_sleep_goes_by_way_of_the_neutral_pose_and_holds_there():
    rig = Rig(start_rad=PROFILE.neutral_rad + np.array([0.6, 0.4, 0, 0, 0, 0]))
    assert rig.guard.sleep(rig.now_s) is None
    assert "moving to the sleep pose" in rig.guard.arm(rig.now_s)
    nearest = np.inf
    while rig.guard.moving:
        rig.tick()
        nearest = min(nearest, np.abs(rig.joints - PROFILE.neutral_rad).max())
    assert nearest < 1e-6
    np.testing.assert_allclose(rig.joints, PROFILE.sleep_rad, atol=1e-9)
    assert rig.guard.mode == GuardMode.HOLD and rig.guard.reason == "at the sleep pose"
    assert rig.guard.why_not_limp(rig.now_s) is None
    assert rig.guard.arm(rig.now_s) is None


def test_a_slow_move_that_would_touch_the_table_is_refused():
    rig = Rig(start_rad=np.array([0.0, 1.0, -0.9, 0.0, 1.2, 0.0]))
    rig.guard._envelope._floor_m = 0.14
    assert "clearance" in rig.guard.sleep(rig.now_s)
    assert rig.guard.mode == GuardMode.HOLD


def test_hold_stops_a_slow_move():
    rig = Rig(start_rad=PROFILE.neutral_rad + 0.3)
    rig.guard.home(rig.now_s)
    rig.run(0.2)
    rig.guard.hold(rig.now_s)
    rig.run(BRAKING_S)
    still = rig.joints
    rig.run(0.5)
    np.testing.assert_array_equal(rig.joints, still)


def test_the_arm_is_not_made_limp_while_raised():
    rig = Rig()
    assert "`hold` first" in rig.guard.why_not_limp(rig.now_s)
    rig.guard.hold(rig.now_s)
    assert "would fall" in rig.guard.why_not_limp(rig.now_s)


def test_a_stuck_arm_is_not_pushed_on_after_the_fault():
    rig = Rig()
    stuck = rig.joints + np.array([0.7, 0, 0, 0, 0, 0])
    for _ in range(200):
        rig.now_s += 0.02
        rig.guard.on_joint_state(rig.now_s, np.append(stuck, 0.03))
        rig.guard.tick(rig.now_s)
    assert rig.guard.mode == GuardMode.FAULT
    np.testing.assert_allclose(rig.guard.setpoint, stuck, atol=1e-9)


def test_after_an_overload_no_goals_are_sent_until_armed_where_the_arm_is():
    rig = Rig()
    rig.guard.on_joint_state(rig.now_s, np.zeros(5))
    sagged = PROFILE.neutral_rad + np.array([0, 0.3, 0, 0, 0, 0])
    for _ in range(3):
        rig.now_s += 0.02
        rig.guard.on_joint_state(rig.now_s, np.append(sagged, 0.03))
        assert rig.guard.tick(rig.now_s) is None
    rig.guard.clear(rig.now_s)
    assert rig.guard.mode == GuardMode.IDLE
    assert rig.guard.arm(rig.now_s) is None
    np.testing.assert_allclose(rig.guard.setpoint, sagged)


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


def test_a_huge_sequence_number_locks_the_guard_no_longer_than_to_the_next_arm():
    rig = Rig()
    assert rig.send([delta()] * 5, sequence=2**64 - 1) is None
    assert rig.send([delta()] * 5, sequence=7) == "stale_sequence"
    rig.run(0.4)
    assert rig.guard.mode == GuardMode.HOLD
    assert rig.guard.arm(rig.now_s) is None
    assert rig.send([delta()] * 5, sequence=7) is None


def test_a_run_belongs_to_the_policy_whose_chunk_came_first():
    rig = Rig()
    assert rig.send([delta()] * 5) is None
    assert rig.send([delta(x=0.05)] * 5, policy_id="intruder@1") == "other_policy"
    assert rig.send([delta()] * 5) is None
    rig.guard.arm(rig.now_s)
    assert rig.send([delta()] * 5, policy_id="successor@2") is None


def test_refuses_what_was_observed_long_ago_however_long_the_chunk():
    rig = Rig()
    assert rig.send([delta(x=0.01)] * 500, age_s=1.9, expires_at_s=1e308) is None
    assert rig.send([delta(x=0.01)] * 500, age_s=2.0, expires_at_s=1e308) == "stale"


def test_a_disarmed_guard_takes_the_arm_from_where_others_have_put_it():
    for order in ("disarm", "hold_and_disarm"):
        rig = Rig()
        if order == "hold_and_disarm":
            rig.guard.hold(rig.now_s)
        rig.guard.disarm(rig.now_s)
        assert rig.guard.mode == GuardMode.IDLE
        rig.joints = PROFILE.neutral_rad + 0.3
        assert rig.tick() is None
        assert rig.guard.arm(rig.now_s) is None
        np.testing.assert_array_equal(rig.tick().joints_rad, PROFILE.neutral_rad + 0.3)


def test_what_a_fault_left_in_the_grip_is_not_dropped():
    rig = Rig()
    rig.run(1.1)
    rig.guard.arm(rig.now_s)
    rig.send([delta(gripper=0.0)] * 5)
    rig.run(0.1)
    rig.guard.on_joint_state(rig.now_s, np.zeros(5))
    rig.run(1.2)
    rig.guard.clear(rig.now_s)
    assert rig.guard.mode == GuardMode.IDLE
    assert rig.guard.arm(rig.now_s) is None
    assert rig.guard.gripper.pwm(rig.now_s) == -PROFILE.gripper.hold_pwm
    rig.guard.disarm(rig.now_s)
    rig.guard.arm(rig.now_s)
    assert rig.guard.gripper.pwm(rig.now_s) == PROFILE.gripper.pwm


def test_a_motor_that_was_silent_is_let_go_even_if_the_fault_is_cleared_at_once():
    rig = Rig()
    rig.guard.on_joint_state(rig.now_s, np.zeros(5))
    rig.guard.on_joint_state(rig.now_s, np.append(rig.joints, 0.03))
    rig.guard.clear(rig.now_s)
    assert rig.guard.mode == GuardMode.IDLE and rig.tick() is None


def test_a_home_begun_at_speed_brakes_within_limits_and_box_and_arrives():
    """Towards a joint limit at full speed, then home: the way back must not begin beyond it."""
    for joint, sign in ((0, 1), (1, 1), (2, 1), (4, 1), (5, -1)):
        start = PROFILE.neutral_rad.copy()
        limit = (PROFILE.joint_upper_rad if sign > 0 else PROFILE.joint_lower_rad)[joint]
        start[joint] = limit - sign * 0.12
        goal = start.copy()
        goal[joint] = limit
        guard, setpoint = Rig(start).guard, None
        setpoint = guard._setpoint
        setpoint._envelope._floor_m, setpoint._envelope._low_m = -1.0, np.full(3, -1.0)
        setpoint._envelope._high_m = np.full(3, 1.0)
        setpoint._go(goal, KINEMATICS.fk(goal), 0.0, LIMITS.max_joint_velocity_rad_s)
        now_s, joints = 200.0, [start]
        for tick in range(300):
            now_s += LIMITS.tick_s
            if tick == 5:
                assert np.abs(setpoint.velocity_rad_s[joint]) > 1.0, "too slow to say anything"
                setpoint.ramp_to(now_s, PROFILE.neutral_rad)
            setpoint.advance(now_s)
            joints.append(setpoint.joints_rad)
        joints = np.array(joints)
        assert np.all(joints >= PROFILE.joint_lower_rad) and np.all(joints <= PROFILE.joint_upper_rad)
        acceleration = np.abs(np.diff(joints, n=2, axis=0)).max() / LIMITS.tick_s**2
        assert acceleration <= LIMITS.max_joint_acceleration_rad_s2 * (1 + 1e-6)
        speed = np.abs(np.diff(joints[12:], axis=0)).max() / LIMITS.tick_s
        assert speed <= LIMITS.ramp_rad_s * (1 + 1e-9)
        np.testing.assert_allclose(joints[-1], PROFILE.neutral_rad, atol=1e-9)
