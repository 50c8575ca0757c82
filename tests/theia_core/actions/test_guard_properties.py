"""Random sequences of chunks, orders and failures against the guard and an arm: what must always hold.

10,000 sequences run against an arm that follows its commands with a lag, 100 more against MuJoCo's physics.
The oracle has kinematics of its own and looks only at what was commanded.
"""

import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from theia_core.actions.chunks import ActionChunk
from theia_core.actions.guard import Guard, Refusal
from theia_sim.envs import make_env
from theia_sim.scenes.door import DoorParams

from .conftest import KINEMATICS, LIMITS, PROFILE, outside

GRIPPER, TICK_S = PROFILE.gripper, LIMITS.tick_s
SPEED, GAIN = LIMITS.max_joint_velocity_rad_s, LIMITS.max_joint_acceleration_rad_s2
NAMES = {refusal.value for refusal in Refusal}
STARTS = [
    PROFILE.neutral_rad,
    PROFILE.sleep_rad,
    np.array([0.8, 0.2, 0.3, 0.0, 0.9, 0.0]),  # far out, near the side of the door's box
    np.array([0.0, 0.9, -0.2, 0.0, 0.8, 0.0]),  # low
    np.array([2.5, -0.5, 0.5, 0.5, 0.9, 1.0]),  # armed far outside the box
]


class LaggingArm:
    """Goes 40 % of the way to its goal in each tick."""

    may_be_stuck = False

    def __init__(self, joints_rad):
        self.joints = np.array(joints_rad, float)

    def follow(self, command):
        if command is not None:
            self.joints += 0.4 * (command.joints_rad - self.joints)

    def measured(self):
        return np.append(self.joints, 0.03)


class PhysicalArm:
    """MuJoCo's arm in the kitchen of the door task."""

    env = None
    may_be_stuck = True

    def __init__(self, joints_rad):
        if PhysicalArm.env is None:
            PhysicalArm.env = make_env("door")
        self.env.reset(DoorParams.sample(3))
        self.env._reset_arm(np.array(joints_rad, float), 0.03)

    def follow(self, command):
        if command is not None:
            self.env.set_joint_targets(command.joints_rad)
            self.env.set_gripper_pwm(command.gripper_pwm)
        self.env.step(TICK_S)

    def measured(self):
        return np.asarray(self.env.joint_state().position)[[0, 1, 2, 3, 4, 5, 7]]


class World:
    """A guard, an arm, and a record of all that was commanded."""

    def __init__(self, arm):
        self.arm, self.now_s = arm, 50.0
        self.guard = Guard(PROFILE, KINEMATICS, "door")
        self.sequence, self.last, self.accepted_s = 0, None, -np.inf
        self.stretches, self.pwms = [], []
        self._open = False
        self.tick()
        self.guard.arm(self.now_s)

    def tick(self, answers=True, answer=None):
        """One tick; `answers` whether the driver says anything, `answer` what, if not the truth."""
        self.now_s += TICK_S
        if answers:
            self.guard.on_joint_state(self.now_s, self.arm.measured() if answer is None else answer)
        before = self.guard.setpoint
        command = self.guard.tick(self.now_s)
        if command is None:
            self._open = False
        else:
            if not self._open:
                self.stretches.append([(before, self.guard.mode, False, True)])
                self._open = True
                assert np.abs(before - self.arm.measured()[:6]).max() < 0.1, "the arm would jump there"
            free = self.guard.moving or (self.arm.may_be_stuck and self.guard.mode.is_stop)
            may_move = free or self.now_s - self.accepted_s < 0.4 - 1e-9
            self.stretches[-1].append((command.joints_rad, self.guard.mode, free, may_move))
        self.pwms.append((self.now_s, self.guard.gripper.pwm(self.now_s)))
        self.arm.follow(command)

    def send(self, **values):
        self.sequence += 1
        stamp_s = values.pop("stamp_s", self.now_s - 0.05)
        defaults = dict(
            stamp_s=stamp_s,
            dt_s=0.2,
            actions=np.zeros((3, 7), np.float32),
            expires_at_s=self.now_s + 0.35,
            sequence=self.sequence,
            policy_id="p@0",
        )
        self.offer(ActionChunk(**(defaults | values)))

    def offer(self, chunk):
        before, usable = sum(self.guard.refusals.values()), chunk.horizon
        answer = self.guard.on_chunk(self.now_s, chunk)
        counted = sum(self.guard.refusals.values()) - before
        assert (answer is None and counted == 0) or (answer in NAMES and counted == 1), answer
        if answer is None and usable:
            self.accepted_s, self.last = self.now_s, chunk


def actions(number, horizon, scale):
    """Deltas drawn from `number`; a third of them run one way, which reaches the limits."""
    rng = np.random.default_rng(number)
    out = rng.normal(0, 1, (1 if number % 3 == 0 else horizon, 7)) * (
        [0.03 * scale] * 3 + [0.15 * scale] * 3 + [0.5]
    )
    return np.broadcast_to(out, (horizon, 7)).astype(np.float32)


def spoiled(number, value):
    out = actions(number, 4, 1.0).copy()
    out.flat[number % out.size] = value
    return out


CHUNKS = {
    "good": lambda w, n: w.send(actions=actions(n, 1 + n % 10, 0.6)),
    "small": lambda w, n: w.send(actions=actions(n, 1 + n % 10, 0.2)),
    "jump": lambda w, n: w.send(actions=actions(n, 5, 100.0)),
    "huge": lambda w, n: w.send(actions=spoiled(n, 3e38)),
    "nan": lambda w, n: w.send(actions=spoiled(n, np.nan)),
    "infinite": lambda w, n: w.send(actions=spoiled(n, np.inf)),
    "stale": lambda w, n: w.send(actions=actions(n, 3, 1.0), stamp_s=w.now_s - 0.1 * (n % 40)),
    "expired": lambda w, n: w.send(actions=actions(n, 3, 1.0), expires_at_s=w.now_s - 0.01 * (n % 100)),
    "future": lambda w, n: w.send(actions=actions(n, 3, 1.0), stamp_s=w.now_s + 0.02 * (n % 50)),
    "odd_stamp": lambda w, n: w.send(stamp_s=[1e308, -1e308, np.nan, np.inf, 0.0][n % 5]),
    "odd_expiry": lambda w, n: w.send(expires_at_s=[1e308, -1e308, np.nan, np.inf][n % 4]),
    "old_number": lambda w, n: w.send(sequence=n % 3 - 1),
    "huge_number": lambda w, n: w.send(sequence=2**63 + n, actions=actions(n, 3, 1.0)),
    "twice": lambda w, n: w.last and w.offer(w.last),
    "other_policy": lambda w, n: w.send(policy_id=f"p@{n % 4}", sequence=n, actions=actions(n, 2, 1.0)),
    "truncated": lambda w, n: w.send(actions=np.zeros([(3, 6), (7,), (3, 0), (2, 3, 7)][n % 4], np.float32)),
    "oversized": lambda w, n: w.send(actions=np.zeros((1001 + n, 7), np.float32)),
    "dtype": lambda w, n: w.send(actions=np.zeros((2, 7), [object, int, "U3", bool][n % 4])),
    "no_array": lambda w, n: w.send(actions=[[0.0] * 7]),
    "space": lambda w, n: w.send(action_space=["ee_pose", "joints", ""][n % 3]),
    "dt": lambda w, n: w.send(dt_s=[0.0, -0.2, np.nan, 0.02, 1e9][n % 5]),
    "order_to_hold": lambda w, n: w.send(actions=np.zeros((0, 7), np.float32), reason="tokens stale"),
}
TROUBLES = {
    "silence": lambda w, n: [w.tick() for _ in range(n % 30)],
    "dropout": lambda w, n: [w.tick(answers=False) for _ in range(n % 10)],
    "short_reply": lambda w, n: w.tick(answer=np.zeros(n % 7)),
    "nan_reply": lambda w, n: w.tick(answer=np.full(7, np.nan)),
    "arm": lambda w, n: w.guard.arm(w.now_s),
    "hold": lambda w, n: w.guard.hold(w.now_s),
    "disarm": lambda w, n: w.guard.disarm(w.now_s),
    "estop": lambda w, n: w.guard.estop(w.now_s),
    "clear_and_arm": lambda w, n: (w.guard.clear(w.now_s), w.guard.arm(w.now_s)),
    "home": lambda w, n: w.guard.home(w.now_s),
    "sleep": lambda w, n: w.guard.sleep(w.now_s),
}
EVENTS = CHUNKS | TROUBLES
# Chunks that move the arm are offered more often, or most sequences would stand still.
KINDS = sorted(EVENTS) + ["good"] * 40 + ["jump"] * 6 + ["clear_and_arm"] * 3
# One byte says where the arm starts, every three more what happens; drawing bytes is cheap.
SEQUENCES = st.binary(min_size=7, max_size=13)


def play(arm, sequence):
    """Let what the bytes stand for happen, with 1 to 9 ticks after each event; then silence."""
    world = World(arm)
    for place in range(1, len(sequence) - 2, 3):
        kind = KINDS[sequence[place] % len(KINDS)]
        number = int.from_bytes(sequence[place + 1 : place + 3], "big")
        EVENTS[kind](world, number)
        for _ in range(8 if number % 4 else 1 + number % 9):
            world.tick()
    for _ in range(6):
        world.tick()
    return world


def check(world):
    """Everything that must hold of what was commanded."""
    for stretch in world.stretches:
        joints = np.array([entry[0] for entry in stretch])
        joints = np.concatenate([joints[:1], joints[:1], joints])  # it begins at rest
        assert np.all(np.isfinite(joints))
        assert np.all(joints >= PROFILE.joint_lower_rad) and np.all(joints <= PROFILE.joint_upper_rad)
        velocity = np.diff(joints, axis=0) / TICK_S
        assert np.max(np.abs(velocity)) <= SPEED * (1 + 1e-9)
        assert np.max(np.abs(np.diff(velocity, axis=0))) / TICK_S <= GAIN * (1 + 1e-6)
        moved = np.any(velocity[1:] != 0, axis=1)
        may_move = np.array([entry[3] for entry in stretch])
        assert not np.any(moved & ~may_move), "it moves 0.4 s after the last good chunk"
        check_places(stretch, outside(joints[2:]))
        check_slow_moves(stretch, velocity[1:])
    check_gripper(world.pwms)


def check_places(stretch, beyond_m):
    """Inside, or no further out than where this stretch of motion began; home and sleep may leave the box."""
    slack_m = np.array([LIMITS.path_slack_m] * 6 + [0.0] * len(PROFILE.guarded_points))
    base_m = beyond_m[0]
    for place, (_, _, free, _) in enumerate(stretch):
        counts = slice(6, None) if free else slice(None)
        over = beyond_m[place] - np.maximum(base_m, slack_m)
        assert np.max(over[counts]) <= 1e-6, f"{over} m outside at tick {place}"
        if free:
            base_m = np.concatenate([beyond_m[place][:6], base_m[6:]])


def check_slow_moves(stretch, velocity_rad_s):
    """No faster than the ramp once the arm has braked to it."""
    ticks_of_braking = int(np.ceil(SPEED / GAIN / TICK_S))
    slow = np.convolve([entry[2] for entry in stretch], np.ones(ticks_of_braking + 1))[: len(stretch)]
    moving = velocity_rad_s[slow > ticks_of_braking]
    assert np.max(np.abs(moving), initial=0.0) <= LIMITS.ramp_rad_s * (1 + 1e-9)


def check_gripper(pwms):
    since_s, sign = pwms[0][0], 0.0
    for now_s, pwm in pwms:
        if np.sign(pwm) != sign or abs(pwm) <= GRIPPER.hold_pwm:
            since_s, sign = now_s, np.sign(pwm)
        assert abs(pwm) <= GRIPPER.pwm
        assert now_s - since_s <= GRIPPER.settle_s + 1.5 * TICK_S, "full PWM for too long"


SEEN = Counter()


@seed(4)
@settings(max_examples=10_000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(SEQUENCES)
def lagging_arm(sequence):
    world = play(LaggingArm(STARTS[sequence[0] % len(STARTS)]), sequence)
    check(world)
    SEEN.update(name for name, count in world.guard.refusals.items() if count)
    SEEN["sequences"] += 1
    SEEN["moved"] += any(np.ptp([entry[0] for entry in s], axis=0).max() > 0.02 for s in world.stretches)


@pytest.mark.slow
@pytest.mark.timeout(1200)  # a minute of a processor that it has for itself
def test_ten_thousand_random_sequences_keep_every_limit():
    SEEN.clear()
    begun_s = time.process_time()
    lagging_arm()
    print(f"{time.process_time() - begun_s:.0f} s of CPU time, {dict(SEEN)}")
    assert SEEN["sequences"] >= 10_000
    assert SEEN["moved"] > 4_000
    never = NAMES - set(SEEN) - {"joint_limit"}  # inverse kinematics keeps the limits by itself
    assert not never, f"refusals that no sequence brought about: {never}"


@seed(5)
@settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(SEQUENCES)
def physical_arm(sequence):
    world = play(PhysicalArm(STARTS[sequence[0] % 2]), sequence)
    check(world)


def test_random_sequences_keep_every_limit_on_the_simulated_arm():
    physical_arm()
