"""Faults, the e-stop and the operator's orders: what the guard does with the arm, and with the gripper."""

import numpy as np
import pytest

from theia_core.actions.guard import GuardMode

from .conftest import BRAKING_S, LIMITS, PROFILE, Rig, delta


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


@pytest.mark.parametrize("away_rad", [0.7, 0.3])
def test_a_stopped_arm_that_something_keeps_off_does_not_push_on(away_rad):
    rig = Rig()
    stuck = rig.joints + np.array([away_rad, 0, 0, 0, 0, 0])
    for tick in range(200):
        rig.now_s += 0.02
        rig.guard.on_joint_state(rig.now_s, np.append(stuck, 0.03))
        rig.guard.tick(rig.now_s)
        if tick == 60 and away_rad < LIMITS.tracking_error_rad:
            assert rig.guard.mode == GuardMode.HOLD
            rig.guard.estop(rig.now_s)
    assert rig.guard.mode == (GuardMode.FAULT if away_rad > LIMITS.tracking_error_rad else GuardMode.ESTOP)
    np.testing.assert_allclose(rig.guard.setpoint, stuck, atol=1e-9)
    assert rig.guard.refusals == Rig().guard.refusals


def test_a_stopped_arm_that_sags_on_is_followed_once_and_then_let_go():
    rig = Rig()
    rig.guard.estop(rig.now_s)
    joints = PROFILE.neutral_rad.copy()
    for _ in range(300):
        rig.now_s += 0.02
        joints = joints + np.array([0, 0.004, 0, 0, 0, 0])
        rig.guard.on_joint_state(rig.now_s, np.append(joints, 0.03))
        rig.guard.tick(rig.now_s)
    assert rig.guard.setpoint is None
    rig.guard.clear(rig.now_s)
    assert rig.guard.mode == GuardMode.IDLE


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
