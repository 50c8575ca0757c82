"""The guard of a robot that is told hand poses: modes, silence, stops, what it commands."""

import numpy as np
import pytest

from theia_core.actions.chunks import ActionChunk
from theia_core.actions.guard_state import GuardMode
from theia_core.actions.hand_filter import HandGoal
from theia_core.actions.hand_guard import HandGuard
from theia_core.actions.hand_profile import load_hand_profile
from theia_core.actions.hand_state import observed_state
from theia_core.actions.poses import Pose

PROFILE = load_hand_profile("spot_arm")
LIMITS = PROFILE.guard
START_M = np.array([0.75, 0.0, 0.25])


class Rig:
    """A guard with an ideal hand (measures what it was told) and a clock that the test turns."""

    def __init__(self):
        self.guard, self.now_s, self.sequence = HandGuard(PROFILE, "drawer"), 100.0, 0
        self.hand, self.alive, self.stuck = HandGoal(Pose(START_M.copy()), 0.2), True, False
        self.tick()
        assert self.guard.arm(self.now_s) is None

    def tick(self):
        self.now_s += 0.02
        if self.alive:
            state = observed_state(np.zeros(6), self.hand.gripper, self.hand.pose, False)
            self.guard.on_joint_state(self.now_s, state)
        command = self.guard.tick(self.now_s)
        if command is not None and not self.stuck:
            self.hand = command
        return command

    def run(self, seconds):
        return [self.tick() for _ in range(round(seconds / 0.02))]

    def send(self, xs, **overrides):
        self.sequence += 1
        actions = [HandGoal(Pose(np.array([x, 0.0, 0.25])), 0.5).action for x in xs]
        values = dict(
            stamp_s=self.now_s,
            dt_s=0.2,
            actions=np.array(actions, np.float32).reshape(len(xs), 10),
            expires_at_s=self.now_s + 0.2 * len(xs) + 0.4,
            sequence=self.sequence,
            policy_id="test@0",
            action_space="ee_pose",
        )
        return self.guard.on_chunk(self.now_s, ActionChunk(**(values | overrides)))

    @property
    def x_m(self):
        return self.hand.pose.position_m[0]


@pytest.fixture
def rig():
    return Rig()


def test_each_action_takes_one_step_on_a_straight_line(rig):
    assert rig.send([0.79, 0.82]) is None
    xs = [goal.pose.position_m[0] for goal in rig.run(0.2)]
    np.testing.assert_allclose(np.diff([0.75, *xs]), 0.004, atol=1e-5)
    assert rig.x_m == pytest.approx(0.79, abs=1e-6)
    assert rig.guard.executed.action[0] == pytest.approx(0.79)
    assert rig.hand.gripper == pytest.approx(0.5)
    assert rig.guard.refusals.total() == 0


def test_silence_ends_in_a_hold_within_0_4_s_and_a_new_chunk_goes_on(rig):
    rig.send([0.80])
    rig.run(0.42)
    assert rig.guard.mode is GuardMode.HOLD and "no action chunk" in rig.guard.reason
    held_m = rig.x_m
    rig.run(0.5)
    assert rig.x_m == held_m
    assert rig.send([held_m + 0.02]) is None
    rig.run(0.2)
    assert rig.guard.mode is GuardMode.ACTIVE and rig.x_m == pytest.approx(held_m + 0.02, abs=1e-6)


def test_after_a_long_silence_or_the_operators_hold_only_arm_starts_the_motion(rig):
    rig.run(LIMITS.input_timeout_s + LIMITS.resume_window_s + 0.1)
    assert rig.send([0.8]) == "not_active"
    assert rig.guard.arm(rig.now_s) is None
    assert rig.send([0.8]) is None
    rig.guard.hold(rig.now_s)
    assert rig.send([0.8]) == "not_active" and rig.guard.reason == "operator"


@pytest.mark.parametrize(
    ("chunk", "refusal"),
    [
        (dict(action_space="ee_delta"), "malformed"),
        (dict(actions=np.zeros((1, 7), np.float32)), "malformed"),
        (dict(actions=np.full((1, 10), np.nan, np.float32)), "non_finite"),
        (dict(expires_at_s=99.0), "expired"),
        (dict(sequence=0), "stale_sequence"),
        (dict(policy_id="other@1"), "other_policy"),
    ],
)
def test_a_wrong_chunk_is_refused_and_counted(rig, chunk, refusal):
    rig.send([0.76])
    rig.tick()
    assert rig.send([0.8], **chunk) == refusal
    assert rig.guard.refusals[refusal] == 1


def test_an_action_outside_the_workspace_is_refused_and_the_hand_stays(rig):
    rig.send([1.5])
    rig.run(0.2)
    assert rig.x_m == pytest.approx(0.75)
    assert rig.guard.refusals["workspace"] == 1 and rig.guard.reason == "refused: workspace"


@pytest.mark.parametrize("stop", ["hold", "estop", "fault"])
def test_a_stop_in_the_middle_of_a_step_stops_there(rig, stop):
    rig.send([0.80, 0.86])
    rig.run(0.1)
    here_m = rig.x_m
    getattr(rig.guard, stop)(rig.now_s, "test")
    rig.run(0.5)
    assert rig.x_m == pytest.approx(here_m, abs=1e-9)
    assert rig.send([0.8]) == "not_active"
    if stop != "hold":
        assert "clear it first" in rig.guard.arm(rig.now_s)
        rig.guard.clear(rig.now_s)
        assert rig.guard.mode is GuardMode.IDLE and rig.tick() is None
    assert rig.guard.arm(rig.now_s) is None


def test_a_robot_that_says_nothing_is_a_fault(rig):
    rig.alive = False
    rig.send([0.8] * 8)
    rig.run(LIMITS.state_timeout_s + 0.06)
    assert rig.guard.mode is GuardMode.FAULT and "no state" in rig.guard.reason


def test_a_hand_that_is_stuck_is_a_fault_and_is_pushed_no_more(rig):
    rig.stuck = True
    for step in range(12):
        rig.send([0.75 + 0.05 * (step + 1)] * 2)
        rig.run(0.2)
        if rig.guard.mode is GuardMode.FAULT:
            break
    assert "is it stuck?" in rig.guard.reason
    np.testing.assert_allclose(rig.tick().pose.position_m, START_M, atol=1e-6)


def test_state_that_is_not_a_state_is_a_fault(rig):
    rig.guard.on_joint_state(rig.now_s, np.full(17, np.nan))
    assert rig.guard.mode is GuardMode.FAULT


def test_what_lies_ahead_is_the_rest_of_the_chunk_with_its_times(rig):
    rig.send([0.79, 0.83, 2.0, 0.8])
    rig.tick()
    begun_s = rig.guard.executed.time_s
    knots = rig.guard.ahead(rig.now_s)
    np.testing.assert_allclose([time_s - begun_s for time_s, _ in knots], [0.2, 0.4], atol=1e-9)
    np.testing.assert_allclose([goal.pose.position_m[0] for _, goal in knots], [0.79, 0.83], atol=1e-6)
    rig.guard.hold(rig.now_s)
    assert len(rig.guard.ahead(rig.now_s)) == 1


def test_without_a_state_it_does_not_arm():
    guard = HandGuard(PROFILE, "drawer")
    assert "no recent state" in guard.arm(5.0)
    assert guard.tick(5.0) is None and guard.ahead(5.0) == []
