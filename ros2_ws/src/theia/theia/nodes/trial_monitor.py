"""What happened in a trial, from the messages that came: stages, holds, refusals, and whether it counts."""

import math
import threading
import time
from collections import Counter

from theia_msgs.msg import GuardState, TaskState

# The guard's words for a trouble of the machinery: such a trial says nothing about the policy.
_MACHINERY = (
    "no joint_states",
    "joint_states has",
    "no action chunk",
    "the action chunk expired",
    "policy: tokens stale",
    "policy: joints stale",
    "policy: joint_states",
    "policy: no tokens",
    "the guard was shut down",
    "the bridge was shut down",
    "no state of the robot",
    "commands do not get through",
    "time skew",
    "the lease is lost",
)
_LONGEST_SILENCE_S = 1.0
_LONGEST_HOLD_S = 3.0
_SLOWEST = 0.9  # simulated seconds per second


class TrialMonitor:
    """Follows one trial; messages come from one thread, questions from another.

    On the robot there is no task_state: time is the clock's, and nothing here says which stages were reached.

    Attributes:
        armed_at_s: simulated time since the reset at which the guard was armed.
        stages: name -> reached, as the simulator judges.
        holds: reason -> how often the guard began to hold for it.
    """

    def __init__(self, seed: int, task_state: TaskState | None, guard_state: GuardState) -> None:
        """Begin, right after the guard was armed, with the newest messages."""
        self._lock = threading.Lock()
        self._seed = seed
        self.armed_at_s = task_state.elapsed_s if task_state is not None else 0.0
        self.stages: dict[str, bool] = {}
        self.holds: Counter[str] = Counter()
        self._reached_at_s: dict[str, float] = {}
        self._started_s = self._task_heard_s = self._guard_heard_s = time.monotonic()
        self._refusals_before = _refusals(guard_state)
        self._steps_before = guard_state.executed_steps
        self._guard, self._task = guard_state, task_state
        self._holding_since_s: float | None = None
        self._spoiled = ""
        if task_state is not None:
            self.on_task_state(task_state)
        self.on_guard_state(guard_state)

    def on_task_state(self, message: TaskState) -> None:
        """Take the simulator's view; where an operator judges, it counts for nothing."""
        now_s = time.monotonic()
        with self._lock:
            if self._task is None:
                return
            self._silence("the simulator's task_state", now_s - self._task_heard_s)
            self._task, self._task_heard_s = message, now_s
            self.stages = dict(zip(message.stages, map(bool, message.reached), strict=True))
            for name, at_s in zip(message.stages, message.reached_at_s, strict=True):
                if not math.isnan(at_s):
                    self._reached_at_s[name] = at_s
            if message.seed != self._seed:
                self._spoil(f"the scene was reset to seed {message.seed} meanwhile")

    def on_guard_state(self, message: GuardState) -> None:
        """Take the guard's view."""
        now_s = time.monotonic()
        with self._lock:
            self._silence("guard_state", now_s - self._guard_heard_s)
            before, self._guard, self._guard_heard_s = self._guard.mode, message, now_s
            if message.mode == GuardState.HOLD and before != GuardState.HOLD:
                self.holds[_without_numbers(message.reason)] += 1
            if message.mode == GuardState.ACTIVE:
                self._holding_since_s = None
            elif self._holding_since_s is None:
                self._holding_since_s = now_s
            if message.mode == GuardState.IDLE:
                self._spoil("the guard was disarmed meanwhile")
            if message.mode == GuardState.ESTOP:
                self._spoil(f"the guard was stopped by an operator: {message.reason}")

    @property
    def elapsed_s(self) -> float:
        """Seconds since the arm was armed, simulated ones where there is a simulator."""
        with self._lock:
            if self._task is None:
                return time.monotonic() - self._started_s
            return self._task.elapsed_s - self.armed_at_s

    @property
    def stopped_by_operator(self) -> bool:
        """Whether the guard was stopped by an operator."""
        with self._lock:
            return self._guard.mode == GuardState.ESTOP

    @property
    def all_reached_for_s(self) -> float:
        """Simulated seconds since the last stage was reached; negative while one is missing."""
        with self._lock:
            if self._task is None or not self.stages or not all(self.stages.values()):
                return -1.0
            return self._task.elapsed_s - max(self._reached_at_s.values())

    def end(self, limit_s: float, settle_s: float) -> str | None:
        """Why the trial is over, None while it goes on: "done", "time is up" or a failure."""
        if self.all_reached_for_s >= settle_s:
            return "done"
        if self.elapsed_s >= limit_s:
            return "time is up"
        with self._lock:
            now_s = time.monotonic()
            if self._task is not None:
                self._silence("the simulator's task_state", now_s - self._task_heard_s)
            self._silence("guard_state", now_s - self._guard_heard_s)
            if self._task is not None and self._task.failure:
                return self._task.failure
            if self._spoiled:
                return self._spoiled
            if self._guard.mode == GuardState.FAULT:
                return f"guard fault: {self._guard.reason}"
            if self._holding_since_s is not None and now_s - self._holding_since_s > _LONGEST_HOLD_S:
                return f"guard holds: {self._guard.reason}"
        return None

    def why_not_counted(self) -> str:
        """Why the trial says nothing about the policy; empty if it counts."""
        with self._lock:
            if self._spoiled:
                return self._spoiled
            stopped = self._guard.mode in (GuardState.FAULT, GuardState.HOLD)
            if stopped and self._guard.reason.startswith(_MACHINERY):
                return f"the guard stopped for the machinery's sake: {self._guard.reason}"
            if self._guard.executed_steps == self._steps_before:
                return f"not one action was executed; the guard says: {self._guard.reason or 'nothing'}"
            wall_s = self._task_heard_s - self._started_s
            if self._task is None:
                return ""
            if wall_s > 1 and (self._task.elapsed_s - self.armed_at_s) < _SLOWEST * wall_s:
                return "the simulation was slower than real time; give it more of the machine"
            return ""

    def steps(self, rate_hz: float) -> int:
        """Control steps since the arm was armed."""
        return round(self.elapsed_s * rate_hz)

    def stage_steps(self, rate_hz: float) -> dict[str, int]:
        """Control step at which each stage was reached, for those that were."""
        with self._lock:
            return {
                name: max(math.ceil((at_s - self.armed_at_s) * rate_hz), 1)
                for name, at_s in self._reached_at_s.items()
            }

    def refusals(self) -> dict[str, int]:
        """Refusals since the arm was armed, by reason, those that happened."""
        with self._lock:
            now = _refusals(self._guard)
        counts = {name: count - self._refusals_before.get(name, 0) for name, count in now.items()}
        return {name: count for name, count in counts.items() if count}

    def _silence(self, what: str, silent_s: float) -> None:
        if silent_s > _LONGEST_SILENCE_S:
            self._spoil(f"{what} was silent for {silent_s:.1f} s")

    def _spoil(self, why: str) -> None:
        self._spoiled = self._spoiled or why


def _refusals(message: GuardState) -> dict[str, int]:
    return dict(zip(message.refusal_names, message.refusal_counts, strict=True))


def _without_numbers(reason: str) -> str:
    """A reason as a key: "no action chunk for 0.36 s" and "... 0.37 s" are one."""
    return "".join(character for character in reason if not character.isdigit() and character != ".")
