"""From controls to actions: the clutch, re-referencing, speeds, the gripper's ramp."""

import numpy as np
import pytest

from theia_core.actions.rotations import matrix_from_euler
from theia_core.teleop.controls import load_controls
from theia_core.teleop.motion import SILENT_S, Teleoperation

GAMEPAD = load_controls("gamepad")
STEP_S, JOY_S = 0.2, 0.05
FULL_M = GAMEPAD.speed_m_s * STEP_S * 0.5  # a step at full deflection and middle speed


class Hands:
    """An operator who holds axes and buttons and lets time pass."""

    def __init__(self, controls=GAMEPAD, **options):
        self.controls, self.now_s = controls, 100.0
        self.teleop = Teleoperation(controls, 0.05, 0.25, **options)
        self.axes, self.down = {}, set()
        self.pass_s(0.1)

    def pass_s(self, seconds, talking=True):
        for _ in range(round(seconds / JOY_S)):
            self.now_s += JOY_S
            if talking:
                axes = [0.0] * 8
                for name, value in self.axes.items():
                    axis = self.controls.axes[name]
                    axes[axis.index] = value / axis.scale
                buttons = [0] * 12
                for name in self.down:
                    buttons[self.controls.buttons[name]] = 1
                self.teleop.on_joy(axes, buttons, self.now_s)

    def step(self, talking=True):
        self.pass_s(STEP_S, talking)
        return self.teleop.action(self.now_s, STEP_S)

    def press(self, name):
        self.down.add(name)
        self.pass_s(JOY_S)
        self.down.discard(name)
        self.pass_s(JOY_S)


def test_nothing_moves_without_the_clutch():
    hands = Hands()
    hands.axes = {"x": 1.0}
    assert hands.step() is None
    hands.down = {"clutch"}
    hands.step()
    np.testing.assert_allclose(hands.step()[:3], [FULL_M, 0, 0], atol=1e-6)
    hands.down = set()
    assert hands.step() is None
    hands.down = {"clutch"}
    # what the stick did while the clutch was released is not made up for
    assert hands.step()[0] <= FULL_M + 1e-6


def test_controls_that_fall_silent_let_the_clutch_go():
    hands = Hands()
    hands.axes, hands.down = {"x": 1.0}, {"clutch"}
    hands.step()
    assert hands.step(talking=False) is not None
    assert SILENT_S < 2 * STEP_S
    assert hands.step(talking=False) is None


def test_a_way_is_the_deflection_over_time_whatever_the_rate_of_the_controls():
    hands = Hands()
    hands.down = {"clutch"}
    hands.step()
    way_m = 0.0
    for value in (0.2, 0.6, 1.0, -0.4, -0.4):
        hands.axes = {"y": value}
        way_m += hands.step()[1]
    beyond = [np.sign(v) * (abs(v) - 0.1) / 0.9 for v in (0.2, 0.6, 1.0, -0.4, -0.4)]
    assert way_m == pytest.approx(FULL_M * sum(beyond), abs=0.3 * FULL_M)


def test_speeds_go_up_and_down_and_the_largest_step_is_never_exceeded():
    hands = Hands(scale=2.0)
    hands.axes, hands.down = {"z": 1.0, "rz": 1.0}, {"clutch"}
    hands.step()
    before = hands.step()
    hands.press("faster")
    hands.step()
    faster = hands.step()
    assert faster[2] == pytest.approx(2 * before[2], rel=1e-3)
    assert faster[5] == pytest.approx(2 * before[5], rel=1e-3)
    for _ in range(3):
        hands.press("slower")
    hands.step()
    assert hands.step()[2] == pytest.approx(before[2] / 2, rel=1e-3)
    hands.teleop.on_pose(np.zeros(3), np.eye(3))
    hands.step()
    hands.teleop.on_pose(np.array([1.0, -1.0, 0.0]), np.eye(3))
    np.testing.assert_allclose(hands.step()[:2], [0.05, -0.05], atol=1e-6)


def test_the_dead_zone_and_a_broken_driver_move_nothing():
    hands = Hands()
    hands.axes, hands.down = {"x": 0.08, "rz": -0.09}, {"clutch"}
    hands.step()
    np.testing.assert_array_equal(hands.step()[:6], np.zeros(6))
    hands.axes = {"x": float("nan")}
    assert hands.step() is None


def test_the_gripper_ramps_and_stays_where_it_was_when_the_clutch_is_taken_again():
    hands = Hands()
    hands.down = {"clutch"}
    assert hands.step()[6] == 1.0
    hands.press("close")
    ramp = [float(hands.step()[6]) for _ in range(3)]
    assert ramp == [0.5, 0.0, 0.0]
    hands.down = set()
    hands.press("open")  # without the clutch the gripper does not move either
    assert hands.step() is None
    hands.down = {"clutch"}
    assert hands.step()[6] == 0.0


def test_a_carried_pose_moves_the_hand_and_engaging_the_clutch_takes_a_new_reference():
    hands = Hands()
    pose = [np.array([5.0, 5.0, 5.0]), np.eye(3)]
    hands.teleop.on_pose(*pose)
    hands.down = {"clutch"}
    np.testing.assert_array_equal(hands.step()[:6], np.zeros(6))
    pose[0] = pose[0] + [0.01, 0.0, -0.02]
    pose[1] = matrix_from_euler(np.array([0.0, 0.1, 0.0]))
    hands.teleop.on_pose(*pose)
    np.testing.assert_allclose(hands.step()[:6], [0.01, 0, -0.02, 0, 0.1, 0], atol=1e-6)
    np.testing.assert_allclose(hands.step()[:6], np.zeros(6), atol=1e-6)
    hands.down = set()
    hands.step()
    hands.teleop.on_pose(pose[0] + 0.5, np.eye(3))  # carried back to where it is comfortable
    hands.step()
    hands.down = {"clutch"}
    np.testing.assert_array_equal(hands.step()[:6], np.zeros(6))


def test_a_leader_arms_hand_sets_gripper_and_pose():
    hands = Hands()
    hands.down = {"clutch"}
    hands.teleop.on_pose(np.zeros(3), np.eye(3), gripper=1.0)
    hands.step()
    hands.teleop.on_pose(np.array([0.0, 0.02, 0.0]), np.eye(3), gripper=0.0)
    action = hands.step()
    np.testing.assert_allclose(action[:3], [0, 0.02, 0], atol=1e-6)
    assert action[6] == 0.5
    assert hands.teleop.gripper_goal == 0.0
