"""The teleoperation node alone, the test as gamepad and guard: the clutch, its release, and silence."""

import time

import numpy as np
import pytest

pytest.importorskip("rclpy")
from sensor_msgs.msg import JointState, Joy
from std_srvs.srv import Trigger
from theia_msgs.msg import ActionChunk, GuardState
from theia_msgs.srv import ResetScene

from theia.nodekit.qos import EVENT, RECORDING, STATE
from theia.topics import ACTION_CHUNK, GUARD_STATE, JOY, RESET_SCENE
from theia_core.actions.kinematics import ArmKinematics
from theia_core.actions.profile import load_profile
from theia_core.teleop.controls import load_controls
from theia_core.teleop.keys import KeyboardState

pytestmark = [pytest.mark.system, pytest.mark.timed]

CONTROLS = load_controls("gamepad")


class Desk:
    """Publishes a gamepad's state at 20 Hz while the test spins, and answers for the guard."""

    def __init__(self, system, **parameters):
        self.system, self.axes, self.down, self.talks = system, {}, set(), True
        node = system.node
        self.armed = []
        node.create_service(Trigger, "/widowx_guard/arm", self.on_arm)
        self.guard = node.create_publisher(GuardState, GUARD_STATE, STATE)
        self.guard.publish(GuardState(mode=GuardState.IDLE))
        self.joy = node.create_publisher(Joy, JOY, EVENT)
        node.create_timer(0.05, self.send)
        self.chunks = system.listen(ActionChunk, ACTION_CHUNK, RECORDING)
        system.start("theia", "teleop", **parameters)
        system.wait_until(lambda: self.joy.get_subscription_count() == 1, what="the teleop node")

    def on_arm(self, request, response):
        self.armed.append(time.monotonic())
        response.success = True
        return response

    def send(self):
        if not self.talks:
            return
        axes, buttons = [0.0] * 8, [0] * 12
        for name, value in self.axes.items():
            axes[CONTROLS.axes[name].index] = value
        for name in self.down:
            buttons[CONTROLS.buttons[name]] = 1
        self.joy.publish(Joy(axes=axes, buttons=buttons))


def actions(chunks):
    return np.array([chunk.data for chunk in chunks if chunk.horizon], np.float32)


def test_the_clutch_arms_moves_and_holds(system):
    desk = Desk(system)
    desk.axes = {"x": 1.0}
    system.spin(1.0)
    assert not desk.chunks and not desk.armed, "nothing is sent before the clutch is held"

    desk.down = {"clutch"}
    system.wait_until(lambda: len(actions(desk.chunks)) >= 5, 10, "chunks")
    assert desk.armed
    first = desk.chunks[0]
    assert (first.policy_id, first.action_space, first.horizon) == ("teleop-gamepad", "ee_delta", 1)
    sent = actions(desk.chunks)
    assert np.all(sent[:, 0] > 0) or sent[0, 0] == 0
    assert np.all(sent[:, 0] <= 0.05)
    np.testing.assert_array_equal(sent[:, 1:6], np.zeros((len(sent), 5)))
    assert np.all(sent[:, 6] == 1.0)

    desk.down = set()
    system.wait_until(lambda: desk.chunks[-1].horizon == 0, 5, "the order to hold")
    assert desk.chunks[-1].reason == "clutch released"
    count = len(desk.chunks)
    system.spin(0.6)
    assert len(desk.chunks) == count, "one order to hold, then silence"

    desk.down = {"clutch"}
    system.wait_until(lambda: desk.chunks[-1].horizon == 1, 5, "motion again")
    desk.talks = False  # the gamepad's battery is empty
    system.wait_until(lambda: desk.chunks[-1].horizon == 0, 5, "the order to hold")
    sequences = [chunk.sequence for chunk in desk.chunks]
    assert sequences == sorted(set(sequences))


def test_a_leader_arm_is_followed_from_where_the_clutch_was_taken(system):
    desk = Desk(system, leader="/leader")
    profile = load_profile("wx250s")
    kinematics = ArmKinematics(profile)
    leader = system.node.create_publisher(JointState, "/leader/joint_states", RECORDING)
    joints = np.array(profile.neutral_rad)

    def publish():
        names = [*profile.joint_names, "left_finger"]
        leader.publish(JointState(name=names, position=[*joints.tolist(), 0.036]))

    system.node.create_timer(0.02, publish)
    system.spin(0.5)
    desk.down = {"clutch"}
    system.wait_until(lambda: len(actions(desk.chunks)) >= 3, 10, "chunks")
    np.testing.assert_allclose(actions(desk.chunks)[:, :6], 0.0, atol=1e-6)
    before, _ = kinematics.fk(joints)
    joints = joints + np.array([0.1, 0.0, 0.05, 0.0, 0.0, 0.0])
    after, _ = kinematics.fk(joints)
    system.wait_until(lambda: np.abs(actions(desk.chunks)[:, 0]).max() > 0, 10, "motion")
    system.spin(0.5)
    np.testing.assert_allclose(actions(desk.chunks)[:, :3].sum(axis=0), after - before, atol=2e-3)


def test_a_key_sets_up_the_next_scene_of_a_simulation_once_the_arm_was_let_go(system):
    asked = []

    def on_disarm(request, response):
        asked.append("disarm")
        response.success = True
        return response

    def on_reset(request, response):
        asked.append((request.task, request.seed))
        response.success = True
        return response

    system.node.create_service(Trigger, "/widowx_guard/disarm", on_disarm)
    system.node.create_service(ResetScene, RESET_SCENE, on_reset)
    joy = system.node.create_publisher(Joy, JOY, EVENT)
    system.start("theia", "teleop", controls="keyboard", task="microwave", seed=41)
    system.wait_until(lambda: joy.get_subscription_count() == 1, what="the teleop node")
    system.spin(1.0)
    keys = KeyboardState(0.3, 1.0)
    joy.publish(Joy(axes=keys.joy(0.0)[0], buttons=keys.joy(0.0)[1]))
    keys.on_key("n", 1.0)
    joy.publish(Joy(axes=keys.joy(1.1)[0], buttons=keys.joy(1.1)[1]))
    system.wait_until(lambda: len(asked) == 2, 15, "the next scene")
    assert asked == ["disarm", ("microwave", 42)]
