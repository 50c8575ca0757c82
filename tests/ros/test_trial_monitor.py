"""When a trial is over, how it is scored, and when it says nothing about the policy."""

import math
import time

import pytest

pytest.importorskip("theia_msgs")
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from theia_msgs.msg import GuardState, TaskState

from theia.nodes import trial_monitor
from theia.nodes.timing_report import TimingReport
from theia.nodes.trial_monitor import TrialMonitor

SEED = 1_000_007


def task(elapsed_s, reached=(), at_s=(), seed=SEED, failure=""):
    names = ["open", "fully_open"]
    return TaskState(
        task="door",
        stages=names,
        reached=[name in reached for name in names],
        reached_at_s=[dict(zip(reached, at_s, strict=True)).get(name, math.nan) for name in names],
        elapsed_s=elapsed_s,
        seed=seed,
        failure=failure,
    )


def guard(mode=GuardState.ACTIVE, reason="", steps=10, refusals=()):
    refusals = {"workspace": 0, "expired": 0} | dict(refusals)
    return GuardState(
        mode=mode,
        reason=reason,
        executed_steps=steps,
        refusal_names=list(refusals),
        refusal_counts=list(refusals.values()),
    )


@pytest.fixture
def clock(monkeypatch):
    """A monotonic clock that the test moves."""

    class Clock:
        now_s = 50.0

        def monotonic(self):
            return self.now_s

    clock = Clock()
    monkeypatch.setattr(trial_monitor, "time", clock)
    assert trial_monitor.time is not time
    return clock


def run(monitor, clock, seconds, state=None, start_s=2.0):
    """Let time pass with both topics talking at 10 Hz."""
    for step in range(round(seconds * 10)):
        clock.now_s += 0.1
        monitor.on_task_state(task(start_s + (step + 1) * 0.1))
        monitor.on_guard_state(state or guard(steps=10 + step))


def test_trial_ends_a_moment_after_the_last_stage(clock):
    monitor = TrialMonitor(SEED, task(2.0), guard())
    run(monitor, clock, 5)
    assert monitor.end(24.0, 1.0) is None
    monitor.on_task_state(task(7.5, ["open", "fully_open"], [5.1, 7.0]))
    assert monitor.end(24.0, 1.0) is None
    monitor.on_task_state(task(8.0, ["open", "fully_open"], [5.1, 7.0]))
    assert monitor.end(24.0, 1.0) == "done"
    assert monitor.stages == {"open": True, "fully_open": True}
    assert monitor.stage_steps(5.0) == {"open": 16, "fully_open": 25}
    assert monitor.steps(5.0) == 30
    assert monitor.why_not_counted() == ""


def test_time_limit_counts_from_arming(clock):
    monitor = TrialMonitor(SEED, task(2.0), guard())
    run(monitor, clock, 23.9)
    assert monitor.end(24.0, 1.0) is None
    run(monitor, clock, 0.2, start_s=25.9)
    assert monitor.end(24.0, 1.0) == "time is up"
    assert monitor.why_not_counted() == ""


def test_collision_fault_is_a_failure_that_counts(clock):
    monitor = TrialMonitor(SEED, task(2.0), guard())
    run(monitor, clock, 3)
    monitor.on_guard_state(guard(GuardState.FAULT, "a joint is 0.80 rad from its setpoint: collision", 20))
    assert monitor.end(24.0, 1.0).startswith("guard fault: a joint is 0.80 rad")
    assert monitor.why_not_counted() == ""


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (GuardState.FAULT, "no joint_states for 0.12 s"),
        (GuardState.HOLD, "no action chunk for 0.36 s: is the policy running?"),
        (GuardState.HOLD, "policy: tokens stale: encoder silent for 0.33 s"),
    ],
)
def test_stop_for_the_machinerys_sake_is_not_counted(clock, mode, reason):
    monitor = TrialMonitor(SEED, task(2.0), guard())
    run(monitor, clock, 3)
    run(monitor, clock, 4, guard(mode, reason, 25), start_s=5.0)
    assert monitor.end(24.0, 1.0) is not None
    assert reason in monitor.why_not_counted()


def test_short_hold_does_not_end_the_trial_but_is_recorded(clock):
    monitor = TrialMonitor(SEED, task(2.0), guard())
    run(monitor, clock, 2)
    for seconds in (0.36, 0.37):
        monitor.on_guard_state(guard(GuardState.HOLD, f"no action chunk for {seconds} s", 20))
        run(monitor, clock, 1, start_s=4.0)
    assert monitor.end(24.0, 1.0) is None
    assert list(monitor.holds.values()) == [2]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda m: m.on_guard_state(guard(GuardState.IDLE, "not armed")), "disarmed"),
        (lambda m: m.on_guard_state(guard(GuardState.ESTOP, "operator")), "stopped by an operator"),
        (lambda m: m.on_task_state(task(5.0, seed=3)), "reset to seed 3"),
    ],
)
def test_interference_spoils_the_trial(clock, spoil, why):
    monitor = TrialMonitor(SEED, task(2.0), guard())
    run(monitor, clock, 3)
    spoil(monitor)
    assert why in monitor.end(24.0, 1.0)
    assert why in monitor.why_not_counted()


def test_silent_guard_spoils_the_trial(clock):
    monitor = TrialMonitor(SEED, task(2.0), guard())
    run(monitor, clock, 3)
    clock.now_s += 1.2
    assert "silent for 1.2 s" in monitor.end(24.0, 1.0)


def test_trial_without_a_single_action_is_not_counted(clock):
    monitor = TrialMonitor(SEED, task(2.0), guard(steps=10))
    run(monitor, clock, 3, guard(steps=10, reason="refused: workspace"))
    assert "not one action was executed" in monitor.why_not_counted()


def test_simulation_slower_than_real_time_is_not_counted(clock):
    monitor = TrialMonitor(SEED, task(2.0), guard())
    for step in range(50):
        clock.now_s += 0.1
        monitor.on_task_state(task(2.0 + 0.05 * (step + 1)))
        monitor.on_guard_state(guard(steps=20))
    assert "slower than real time" in monitor.why_not_counted()


def test_on_the_robot_time_is_the_clocks_and_an_operator_may_stop_the_arm(clock):
    monitor = TrialMonitor(SEED, None, guard())
    for _ in range(50):
        clock.now_s += 0.1
        monitor.on_guard_state(guard(steps=20))
    monitor.on_task_state(task(9.0, ["open", "fully_open"], [1.0, 2.0], seed=3))  # from a simulator beside it
    assert monitor.elapsed_s == pytest.approx(5.0)
    assert monitor.end(24.0, 0.0) is None and monitor.why_not_counted() == "" and monitor.stages == {}
    for _ in range(200):
        clock.now_s += 0.1
        monitor.on_guard_state(guard(steps=20))
    assert monitor.end(24.0, 0.0) == "time is up"
    assert not monitor.stopped_by_operator
    monitor.on_guard_state(guard(GuardState.ESTOP, "operator"))
    assert monitor.stopped_by_operator


def test_refusals_are_those_of_this_trial(clock):
    monitor = TrialMonitor(SEED, task(2.0), guard(refusals={"expired": 4}))
    monitor.on_guard_state(guard(refusals={"expired": 4, "workspace": 3}))
    assert monitor.refusals() == {"workspace": 3}


def test_timing_report_shows_the_newest_numbers_of_each_node():
    report = TimingReport()
    for value in ("90.0", "80.0"):
        pairs = {
            "frame_to_chunk_ms_p50": "50.0",
            "frame_to_chunk_ms_p95": value,
            "frame_to_chunk_ms_p99": "95",
            "frame_to_chunk_ms_max": "99",
        }
        status = DiagnosticStatus(
            name="/bc_policy", values=[KeyValue(key=key, value=text) for key, text in pairs.items()]
        )
        report.on_diagnostics(DiagnosticArray(status=[status]))
    assert report.numbers() == {"frame_to_chunk_ms": {"p50": 50.0, "p95": 80.0, "p99": 95.0, "max": 99.0}}
    assert "camera frame -> action chunk sent" in report.text()
