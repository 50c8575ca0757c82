"""Teleoperation of a robot that is told hand poses, through that robot's own guard."""

import numpy as np
import pytest

from theia_core.actions.chunks import ActionChunk
from theia_core.actions.hand_filter import HandGoal
from theia_core.actions.hand_guard import HandGuard
from theia_core.actions.hand_profile import load_hand_profile
from theia_core.actions.hand_state import observed_state
from theia_core.actions.poses import Pose
from theia_core.teleop.controls import load_controls
from theia_core.teleop.hand_goal import CarriedGoal
from theia_core.teleop.motion import Teleoperation

PROFILE = load_hand_profile("spot_arm")
START_M = np.array([0.75, 0.0, 0.25])


def state_of(hand):
    return observed_state(np.zeros(6), hand.gripper, hand.pose, False)


def drive(seconds, stick):
    """Hold the clutch and a stick of a gamepad before Spot's guard and an ideal hand; returns the hand."""
    controls, limits = load_controls("gamepad"), PROFILE.guard
    guard, hand = HandGuard(PROFILE, "drawer"), HandGoal(Pose(START_M.copy()), 0.0)
    teleop, goal = Teleoperation(controls, limits.max_step_m, limits.max_step_rad), CarriedGoal(0.12)
    axes, buttons = [0.0] * 8, [0] * 12
    buttons[controls.buttons["clutch"]] = 1
    for name, value in stick.items():
        axes[controls.axes[name].index] = value / controls.axes[name].scale
    now_s, engaged = 100.0, False
    for tick in range(round(seconds / 0.02)):
        now_s += 0.02
        guard.on_joint_state(now_s, state_of(hand))
        goal.on_state(state_of(hand))
        teleop.on_joy(axes, buttons, now_s)
        if tick % 10 == 0 and (delta := teleop.action(now_s, 0.2)) is not None:
            if not engaged:
                assert guard.arm(now_s) is None
                goal.engage()
                teleop.take_gripper(goal.gripper)
                delta[6], engaged = goal.gripper, True
            action = goal.action(delta)
            chunk = ActionChunk(now_s, 0.2, action[None], now_s + 0.4, tick + 1, "teleop", "ee_pose")
            assert guard.on_chunk(now_s, chunk) is None
        if (command := guard.tick(now_s)) is not None:
            hand = command
    return guard, hand


def test_the_hand_follows_the_stick_and_the_gripper_stays_as_it_was():
    guard, hand = drive(2.0, {"y": 1.0})
    moved_m = hand.pose.position_m - START_M
    assert 0.06 < moved_m[1] < 0.15
    np.testing.assert_allclose(moved_m[[0, 2]], 0.0, atol=1e-6)
    assert hand.gripper == pytest.approx(0.0, abs=1e-6)
    assert not any(guard.refusals.values())


def test_turning_turns_the_hand_about_the_roots_axes():
    _, hand = drive(1.6, {"rz": 1.0})
    assert 0.2 < hand.pose.yaw_rad < 0.8
    np.testing.assert_allclose(hand.pose.position_m, START_M, atol=1e-6)


def test_a_goal_that_the_hand_cannot_follow_does_not_run_away():
    goal = CarriedGoal(0.12)
    assert goal.action(np.zeros(7)) is None, "no state of the hand yet"
    goal.on_state(state_of(HandGoal(Pose(START_M), 0.5)))
    goal.engage()
    forward = np.array([0.05, 0, 0, 0, 0, 0, 1.0])
    for _ in range(10):
        action = goal.action(forward)
    assert action[0] == pytest.approx(START_M[0] + 0.12)
    assert goal.action(-forward)[0] == pytest.approx(START_M[0] + 0.07)
    goal.on_state(state_of(HandGoal(Pose(START_M + 0.1), 0.5)))
    goal.engage()
    np.testing.assert_allclose(goal.action(np.zeros(7))[:3], START_M + 0.1, atol=1e-6)
