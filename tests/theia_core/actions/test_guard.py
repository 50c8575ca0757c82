"""Chunks at the guard: what it executes, what it refuses and why, when it holds."""

import numpy as np
import pytest

from theia_core.actions.chunks import ActionChunk
from theia_core.actions.guard import Guard, GuardMode

from .conftest import BRAKING_S, KINEMATICS, PROFILE, Rig, delta, solving


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
