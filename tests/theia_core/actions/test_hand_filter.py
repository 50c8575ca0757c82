"""What may become of an action with an absolute pose of the hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from theia_core.actions.guard_state import Refusal
from theia_core.actions.hand_filter import HandFilter, HandGoal
from theia_core.actions.hand_profile import load_hand_profile
from theia_core.actions.poses import Pose
from theia_core.actions.rotations import angle_between_rad, matrix_from_euler, rotation_6d_from_matrix

PROFILE = load_hand_profile("spot_arm")
LIMITS, BOX = PROFILE.guard, PROFILE.workspace("drawer")
START = HandGoal(Pose(np.array([0.75, 0.0, 0.25])), 0.0)


def action(position_m=(0.78, 0.0, 0.25), euler_rad=(0.0, 0.0, 0.0), gripper=0.5):
    rotation = rotation_6d_from_matrix(matrix_from_euler(np.array(euler_rad)))
    return np.concatenate([position_m, rotation, [gripper]]).astype(np.float32)


@pytest.fixture
def hand():
    hand = HandFilter(PROFILE, "drawer")
    hand.begin(START)
    return hand


def test_a_near_pose_is_taken_as_it_is(hand):
    goal = hand.take(action(euler_rad=(0.05, 0.1, -0.1)))
    np.testing.assert_allclose(goal.action, action(euler_rad=(0.05, 0.1, -0.1)), atol=1e-6)
    assert hand.goal is goal


def test_a_far_pose_is_approached_by_one_step_and_reached_in_the_end(hand):
    far = action((1.0, 0.2, 0.1), (0.0, 0.0, 0.8), gripper=1.0)
    goal = hand.take(far)
    moved_m, turned_rad = START.pose.distance_to(goal.pose)
    assert (moved_m, turned_rad) == pytest.approx((LIMITS.max_step_m, LIMITS.max_step_rad))
    assert goal.gripper == pytest.approx(LIMITS.max_gripper_step)
    for _ in range(8):
        goal = hand.take(far)
    np.testing.assert_allclose(goal.action, far, atol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        (action()[:9], Refusal.MALFORMED),
        (action((np.nan, 0, 0.2)), Refusal.NON_FINITE),
        (np.where(np.arange(10) == 4, np.inf, action()), Refusal.NON_FINITE),
        (np.concatenate([action()[:3], np.zeros(6), [1.0]]), Refusal.MALFORMED),
        (np.concatenate([action()[:3], [1, 0, 0, 1, 0.1, 0], [1.0]]), Refusal.MALFORMED),
        (action((1.3, 0.0, 0.25)), Refusal.WORKSPACE),
        (action((0.75, 0.0, -0.2)), Refusal.WORKSPACE),
        (action(euler_rad=(0.0, 1.2, 0.0)), Refusal.WORKSPACE),
    ],
)
def test_what_is_no_pose_or_leaves_the_workspace_is_refused_and_the_goal_stays(hand, wrong, refusal):
    assert hand.take(wrong) is refusal
    assert hand.goal is START


def test_rotations_that_a_network_gives_are_straightened(hand):
    sloppy = action(euler_rad=(0.0, 0.1, 0.1))
    sloppy[3:6] *= 1.1
    sloppy[6:9] += 0.05
    goal = hand.take(sloppy)
    np.testing.assert_allclose(goal.pose.rotation @ goal.pose.rotation.T, np.eye(3), atol=1e-9)


def test_a_hand_that_starts_outside_may_only_come_nearer(hand):
    hand.begin(HandGoal(Pose(np.array([0.40, 0.0, 0.25])), 0.0))
    assert hand.take(action((0.38, 0.0, 0.25))) is Refusal.WORKSPACE
    assert hand.take(action((0.44, 0.0, 0.25))).pose.position_m[0] == pytest.approx(0.44)
    assert hand.take(action((0.42, 0.0, 0.25))) is Refusal.WORKSPACE


def test_a_preview_ends_before_what_would_be_refused_and_takes_nothing(hand):
    ahead = [action((0.80, 0, 0.25)), action((0.85, 0, 0.25)), action((1.5, 0, 0.25)), action()]
    goals = hand.preview(ahead)
    np.testing.assert_allclose([goal.pose.position_m[0] for goal in goals], [0.80, 0.85], atol=1e-6)
    assert hand.goal is START
    assert [hand.take(a).pose.position_m[0] for a in ahead[:2]] == [g.pose.position_m[0] for g in goals]


@settings(max_examples=150, deadline=None)
@given(hnp.arrays(np.float32, (6, 10), elements=st.floats(-3, 3, width=32) | st.just(np.float32(np.nan))))
def test_whatever_comes_no_goal_leaves_the_workspace_or_jumps(actions):
    hand = HandFilter(PROFILE, "drawer")
    hand.begin(START)
    for values in actions:
        before = hand.goal
        hand.take(values)
        moved_m, turned_rad = before.pose.distance_to(hand.goal.pose)
        assert moved_m <= LIMITS.max_step_m + 1e-9 and turned_rad <= LIMITS.max_step_rad + 1e-6
        assert np.all(hand.goal.pose.position_m >= BOX.workspace_min_m - 1e-9)
        assert np.all(hand.goal.pose.position_m <= BOX.workspace_max_m + 1e-9)
        assert 0.0 <= hand.goal.gripper <= 1.0
        assert np.all(np.isfinite(hand.goal.action))


def test_between_two_goals_the_hand_goes_straight_and_turns_evenly():
    end = HandGoal(Pose(np.array([0.81, 0.03, 0.22]), matrix_from_euler(np.array([0.2, 0.1, -0.2]))), 0.6)
    half = START.towards(end, 0.5)
    np.testing.assert_allclose(half.pose.position_m, [0.78, 0.015, 0.235])
    whole_rad = angle_between_rad(START.pose.rotation, end.pose.rotation)
    assert angle_between_rad(START.pose.rotation, half.pose.rotation) == pytest.approx(whole_rad / 2)
    assert half.gripper == pytest.approx(0.3)
    assert START.towards(end, 1.0).pose.distance_to(end.pose) == pytest.approx((0, 0), abs=1e-7)
