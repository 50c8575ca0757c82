"""The bridge as a process of its own, over TLS to the simulated Spot; the test is policy and operator."""

import itertools
import os
import signal
import time
from contextlib import contextmanager

import numpy as np
import pytest

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
pytest.importorskip("rclpy")
pytest.importorskip("theia_msgs")
pytest.importorskip("bosdyn.client", reason="needs the extra `spot`")
from sensor_msgs.msg import Image, JointState
from std_srvs.srv import Trigger
from theia_msgs.msg import ActionChunk, GuardState

from theia.messages.chunks import chunk_message
from theia.messages.images import image_array
from theia.messages.stamps import Now, to_seconds
from theia.nodekit.qos import STATE, STREAM
from theia.nodekit.transport import apply_transport_defaults
from theia.topics import ACTION_CHUNK, GUARD_STATE, HAND_STATE, IMAGE
from theia_core.actions.chunks import ActionChunk as Chunk
from theia_core.actions.hand_state import STATE_NAMES
from theia_sim.spot.simulator import SpotSimulator

from .conftest import System, patient_profile, remove_orphaned_shared_memory

pytestmark = [pytest.mark.system, pytest.mark.timed]

DT_S, SKEW_S, HORIZON = 0.2, 500.0, 4
SPEED_M_S = 0.05
LOST = "no state of the robot for | commands do not get through"
_domains = itertools.count(1)


class Policy:
    """Lets the hand go up and down slowly, from wherever it is told to begin.

    Each test begins where the last one left the hand: a hand that is high already goes down first, or it
    would climb from test to test until the guard refuses to go on.
    """

    def __init__(self, system):
        self.system, self.on, self.late_s, self.first_m = system, False, 0.0, None
        self.publisher = system.node.create_publisher(ActionChunk, ACTION_CHUNK, STREAM)
        self.sequence, self.began_s, self.start, self.way = itertools.count(1), 0.0, np.zeros(10), 1.0
        system.node.create_timer(DT_S, self.step)

    def begin(self, state):
        """From the measured hand in `state` (17,)."""
        self.start = np.concatenate([state[7:16], [0.3]])
        self.first_m = self.start[2] if self.first_m is None else self.first_m
        self.way = -1.0 if self.start[2] > self.first_m + 0.02 else 1.0
        self.began_s, self.on = time.monotonic(), True

    def target(self, at_s):
        phase = (at_s - self.began_s) % 4.0
        action = self.start.copy()
        action[2] += self.way * SPEED_M_S * min(phase, 4.0 - phase)
        return action

    def step(self):
        if not self.on:
            return
        stamp_s = time.monotonic() - self.late_s
        actions = np.array([self.target(stamp_s + (i + 1) * DT_S) for i in range(HORIZON)], np.float32)
        chunk = Chunk(
            stamp_s=stamp_s,
            dt_s=DT_S,
            actions=actions,
            expires_at_s=stamp_s + 0.8,
            sequence=next(self.sequence),
            policy_id="test@1",
            action_space="ee_pose",
        )
        self.publisher.publish(chunk_message(chunk, Now.of(self.system.node)))


class Operator:
    """Gives orders to the bridge and looks at the robot."""

    def __init__(self, system, simulator):
        self.system, self.simulator, self.policy = system, simulator, Policy(system)
        self.guard = system.listen(GuardState, GUARD_STATE, STATE)
        self.hand = system.listen(JointState, HAND_STATE)

    @property
    def state(self):
        return self.guard[-1]

    def refusals(self):
        return dict(zip(self.state.refusal_names, self.state.refusal_counts, strict=True))

    def order(self, name, timeout_s=30.0):
        """Give an order as soon as no other is under way, and return the answer."""
        answers = []

        def answered():
            answers.append(self.system.call(Trigger, f"/spot_bridge/{name}"))
            return "under way; wait" not in answers[-1].message

        self.system.wait_until(answered, timeout_s, name)
        return answers[-1]

    def arm(self, *orders, timeout_s=60.0):
        """Give orders, arm, and let the policy move the hand; orders that fail are given again."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            for name in orders:
                self.order(name)
            if self.order("arm").success:
                break
            if time.monotonic() > deadline_s:
                pytest.fail(f"not armed within {timeout_s} s\n{self.system.output()}")
        self.hand.clear()
        self.system.wait_until(lambda: self.hand, what="hand_state")
        self.policy.begin(np.array(self.hand[-1].position))
        self.moves()

    def moves(self):
        """Wait until steps are executed and the hand moves."""
        steps, place = self.state.executed_steps, self.place()
        self.system.wait_until(
            lambda: (
                self.state.mode == GuardState.ACTIVE
                and self.state.executed_steps >= steps + 3
                and np.linalg.norm(self.place() - place) > 0.01
            ),
            what="motion",
        )

    def place(self):
        """Where the hand is in the world."""
        with self.simulator.robot.lock:
            return self.simulator.env.hand_pose("world").position_m

    def stops(self, mode, words, within_s=8.0):
        """Wait for a mode with a reason, and for the hand to rest; how far it still went and in what time."""
        started_s, place = time.monotonic(), self.place()
        self.system.wait_until(lambda: self.state.mode == mode, within_s, f"{words!r}")
        noticed_s = time.monotonic() - started_s
        assert any(w in self.state.reason for w in words.split(" | ")), self.state.reason
        went_m = float(np.linalg.norm(self.place() - place))

        def rests():
            before = self.place()
            self.system.spin(0.4)
            return np.linalg.norm(self.place() - before) < 0.002

        self.system.wait_until(rests, within_s, "the hand at rest")
        print(f"noticed after {noticed_s:.2f} s, {went_m * 1000:.0f} mm on: {self.state.reason}")
        self.policy.on = False
        return self.place()

    def stays(self, place):
        """Nothing moves without an operator, whatever the policy says."""
        self.policy.on = True
        self.system.spin(0.6)
        self.policy.on = False
        assert np.linalg.norm(self.place() - place) < 0.01
        assert self.state.mode != GuardState.ACTIVE


def bridge_parameters(simulator, **others):
    return {
        "hostname": "127.0.0.1",
        "port": simulator.server.port,
        "certificate": str(simulator.folder / "robot.crt"),
        "credentials_file": str(simulator.folder / "credentials.json"),
        "camera_rate_hz": 2.0,
        "robot": str(patient_profile(simulator.folder.parent)),
        **others,
    }


@contextmanager
def running_simulator(folder):
    errors = []
    simulator = SpotSimulator(folder, port=0, seed=3, skew_s=SKEW_S, on_error=errors.append)
    simulator.draw = simulator.env.new_renderer().render
    simulator.draw(simulator.env.snapshot(), "policy", 640, 480)  # OpenGL starts now and not in a test
    yield simulator
    simulator.close()
    assert not errors, errors


@pytest.fixture(scope="module")
def simulator(tmp_path_factory):
    with running_simulator(tmp_path_factory.mktemp("spot")) as simulator:
        yield simulator


@pytest.fixture
def untouched_simulator(tmp_path):
    """One that no other bridge is, or was, in charge of."""
    with running_simulator(tmp_path / "spot") as simulator:
        yield simulator


@pytest.fixture(scope="module")
def bridge(simulator):
    """The bridge in charge of a robot that stands with its arm ready."""
    apply_transport_defaults()
    system = System(1 + (os.getpid() * 11 + 50 + next(_domains)) % 100)
    try:
        system.start("theia", "spot_bridge", **bridge_parameters(simulator))
        operator = Operator(system, simulator)
        system.bring_up("spot_bridge")
        yield operator
    finally:
        system.stop()
        remove_orphaned_shared_memory()


@pytest.fixture
def operator(bridge):
    """The policy moves the hand; what the last test has left behind is put right as an operator does it."""
    bridge.policy.late_s = 0.0
    bridge.simulator.inject({"fault": "clear"})
    with bridge.simulator.robot.lock:
        # On a busy machine the holder may be silent for longer than a real robot allows.
        bridge.simulator.robot.leases.timeout_s = 8.0
    if not (bridge.guard and bridge.state.mode == GuardState.ACTIVE):
        bridge.arm("clear", "take_lease", "power_on", "stand", "home")
    bridge.policy.on = True
    bridge.moves()
    return bridge


def test_hand_follows_the_policy_in_the_frame_where_the_body_stood(operator):
    operator.system.wait_until(
        lambda: any(s.reason == "" and s.mode == GuardState.ACTIVE for s in operator.guard), what="active"
    )
    state = operator.state
    assert tuple(state.joint_names) == STATE_NAMES
    assert len(state.measured) == 17 and len(state.commanded) == 10
    assert np.linalg.norm(np.array(state.measured[7:10]) - np.array(state.commanded[:3])) < 0.06
    with operator.simulator.robot.lock:
        expected = operator.simulator.env.frame_pose("world", "body") @ operator.simulator.env.hand_pose(
            "world"
        )
    operator.hand.clear()
    operator.system.wait_until(lambda: operator.hand, what="hand_state")
    hand = operator.hand[-1]
    assert np.linalg.norm(np.array(hand.position[7:10]) - expected.position_m) < 0.05
    now_s = operator.system.node.get_clock().now().nanoseconds * 1e-9
    assert abs(to_seconds(hand.header.stamp) - now_s) < 5.0  # not 500 s, by which the robot's clock is ahead


def test_picture_is_upright_and_stamped_in_ros_time(operator):
    pictures = operator.system.listen(Image, IMAGE)
    operator.system.wait_until(lambda: pictures, what="a picture")
    now_s = operator.system.node.get_clock().now().nanoseconds * 1e-9
    assert (pictures[-1].width, pictures[-1].height, pictures[-1].encoding) == (640, 480, "rgb8")
    assert abs(to_seconds(pictures[-1].header.stamp) - now_s) < 10.0
    shown = image_array(pictures[-1]).astype(float)
    with operator.simulator.robot.lock:
        snapshot = operator.simulator.env.snapshot()
    expected = operator.simulator.draw(snapshot, "policy", 640, 480)
    assert np.median(np.abs(shown - expected)) < 3.0  # all but the hand, which moves


def test_policy_that_is_silent_for_long_goes_on_only_on_an_order(operator):
    operator.policy.on = False
    place = operator.stops(GuardState.HOLD, "no action chunk")
    operator.system.spin(2.2)
    operator.stays(place)
    operator.arm()


def test_expired_chunks_are_refused_and_the_robot_stops(operator):
    operator.policy.late_s = 1.0
    refused = operator.refusals()["expired"]
    operator.stops(GuardState.HOLD, "no action chunk")
    assert operator.refusals()["expired"] > refused
    operator.policy.late_s = 0.0
    operator.arm()


def test_hold_stops_and_arm_goes_on(operator):
    operator.order("hold")
    place = operator.stops(GuardState.HOLD, "operator")
    operator.stays(place)
    operator.arm()


def test_estop_of_the_operator_lets_the_robot_sit_down_and_cuts_its_motors(operator):
    operator.order("estop")
    operator.stops(GuardState.ESTOP, "operator")
    operator.system.wait_until(lambda: not operator.simulator.robot.power.is_on, what="power cut")
    answer = operator.system.call(Trigger, "/spot_bridge/arm")
    assert not answer.success and "clear it first" in answer.message
    operator.arm("clear", "power_on", "stand", "home")


def test_estop_of_another_device(operator):
    operator.simulator.inject({"fault": "estop"})
    operator.stops(GuardState.ESTOP, "e-stop: software estop: the e-stop of another device is pressed")
    operator.order("clear")
    answer = operator.system.call(Trigger, "/spot_bridge/arm")
    assert not answer.success
    operator.simulator.inject({"fault": "clear"})
    operator.arm("power_on", "stand", "home")


def test_lease_theft(operator):
    operator.simulator.inject({"fault": "lease_theft", "by": "tablet"})
    place = operator.stops(GuardState.FAULT, "the lease is lost")
    operator.order("clear")
    answer = operator.system.call(Trigger, "/spot_bridge/arm")
    assert not answer.success
    operator.stays(place)
    assert operator.simulator.robot.leases.owner == "tablet"  # taken back on an order only
    operator.arm("take_lease")


def test_clock_of_the_robot_jumps(operator):
    operator.simulator.inject({"fault": "clock_jump", "seconds": 20})
    operator.stops(GuardState.FAULT, "time skew")
    operator.arm("clear")


def test_outage_of_three_seconds(operator):
    operator.simulator.inject({"fault": "outage", "seconds": 3})
    with operator.simulator.robot.lock:
        operator.simulator.robot.leases.timeout_s = 2.0
    place = operator.stops(GuardState.FAULT, LOST)
    operator.system.spin(3.0)
    with operator.simulator.robot.lock:
        operator.simulator.robot.leases.timeout_s = 8.0
    operator.stays(place)
    operator.arm("clear", "take_lease", "power_on", "stand")


def test_behaviour_fault(operator):
    operator.simulator.inject({"fault": "behavior_fault", "cause": "command_failure"})
    operator.stops(GuardState.FAULT, "behaviour fault")
    operator.arm("clear")
    assert not operator.simulator.robot.faults


def test_restart_of_the_robot(operator):
    operator.simulator.inject({"fault": "restart", "seconds": 1.0})
    operator.stops(GuardState.FAULT, LOST)
    answer = operator.system.call(Trigger, "/spot_bridge/power_on")
    assert not answer.success
    operator.arm("clear", "take_lease", "power_on", "stand", "home")


def test_login_is_renewed_when_it_expires(operator):
    operator.simulator.inject({"fault": "token_expiry"})
    operator.system.spin(1.5)
    if operator.state.mode == GuardState.FAULT:  # a slow machine: longer than 0.3 s without a state
        operator.order("clear")
    operator.arm("hold")


def test_bridge_that_is_killed_leaves_a_robot_that_stops(untouched_simulator, system):
    simulator = untouched_simulator
    parameters = bridge_parameters(simulator, estop_timeout_s=1.5)
    process = system.start("theia", "spot_bridge", **parameters)
    operator = Operator(system, simulator)
    system.bring_up("spot_bridge")
    operator.arm("take_lease", "power_on", "stand", "home")
    password = simulator.robot.passwords["user"]
    process.kill()
    killed_s, place = time.monotonic(), operator.place()
    system.wait_until(lambda: not simulator.robot.power.is_on, 15, "power cut")
    print(
        f"killed: power cut after {time.monotonic() - killed_s:.1f} s ({simulator.robot.stop_reason}), "
        f"the hand went {np.linalg.norm(operator.place() - place) * 1000:.0f} mm on before it sank"
    )
    assert "silent" in simulator.robot.stop_reason
    assert password not in system.output()
    assert process.popen.returncode == -signal.SIGKILL
