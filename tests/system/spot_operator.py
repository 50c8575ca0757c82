"""Who uses the bridge to Spot in tests: a policy, and an operator who gives orders and looks at the robot."""

import itertools
import time

import numpy as np
import pytest
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger
from theia_msgs.msg import ActionChunk, GuardState

from theia.messages.chunks import chunk_message
from theia.messages.stamps import Now
from theia.nodekit.qos import STATE, STREAM
from theia.topics import ACTION_CHUNK, GUARD_STATE, HAND_STATE
from theia_core.actions.chunks import ActionChunk as Chunk

DT_S, HORIZON = 0.2, 4
SPEED_M_S = 0.05


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

    def put_right(self):
        """Let the policy move the hand, after what the last test has left behind."""
        self.policy.late_s = 0.0
        self.simulator.inject({"fault": "clear"})
        with self.simulator.robot.lock:
            # On a busy machine the holder may be silent for longer than a real robot allows.
            self.simulator.robot.leases.timeout_s = 8.0
        if not (self.guard and self.state.mode == GuardState.ACTIVE):
            self.arm("clear", "take_lease", "power_on", "stand", "home")
        self.policy.on = True
        self.moves()
