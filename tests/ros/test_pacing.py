"""Ticker, phase lock, mailbox and statistics."""

import threading
import time

import numpy as np
import pytest

from theia.nodekit.latest import LatestOfEach
from theia.nodekit.phase_lock import PhaseLock
from theia.nodekit.statistics import Rate, Samples
from theia.nodekit.ticker import Ticker


def no_error(error):
    raise AssertionError(error)


def test_ticks_keep_to_the_grid_although_the_callback_takes_time():
    times = []

    def tick():
        times.append(time.monotonic())
        time.sleep(0.015)

    ticker = Ticker(0.04, tick, "test", no_error)
    ticker.start()
    time.sleep(0.9)
    ticker.stop()
    assert len(times) >= 20
    drift_s = (times[-1] - times[0]) / (len(times) - 1 + ticker.skipped) - 0.04
    assert abs(drift_s) < 0.002


def test_missed_deadlines_are_skipped_and_counted_not_made_up_for():
    calls = []

    def tick():
        calls.append(time.monotonic())
        if len(calls) == 1:
            time.sleep(0.23)

    ticker = Ticker(0.05, tick, "test", no_error)
    ticker.start()
    time.sleep(0.6)
    ticker.stop()
    assert ticker.skipped >= 3
    deadlines = (calls[-1] - calls[0]) / 0.05
    assert len(calls) - 1 + ticker.skipped == pytest.approx(deadlines, abs=1)


def test_beats_are_numbered_by_the_clock_so_that_a_slow_call_puts_no_later_one_off():
    beats, started_s = [], time.monotonic()

    def tick():
        beats.append((ticker.beat, time.monotonic() - started_s))
        if len(beats) in (1, 3):
            time.sleep(0.24)

    ticker = Ticker(0.1, tick, "test", no_error)
    ticker.start()
    time.sleep(1.05)
    ticker.stop()
    numbers = [number for number, _ in beats]
    assert numbers[0] == 0 and numbers == sorted(set(numbers))
    assert all(at_s >= 0.1 * number for number, at_s in beats), "a beat came before its time"
    assert min(at_s / 0.1 - number for number, at_s in beats[-3:]) < 1, "slow calls put later ones off"


def test_failing_callback_ends_the_ticks_and_is_reported():
    errors, ended = [], threading.Event()
    ticker = Ticker(0.01, lambda: 1 / 0, "test", errors.append, at_end=ended.set)
    ticker.start()
    assert ended.wait(2)
    assert isinstance(errors[0], ZeroDivisionError)
    assert len(errors) == 1


def test_at_end_runs_in_the_ticking_thread():
    threads = []
    ticker = Ticker(
        0.01, lambda: None, "test", no_error, at_end=lambda: threads.append(threading.current_thread().name)
    )
    ticker.start()
    ticker.stop()
    assert threads == ["test"]


def simulate(lock, arrivals, ticks=150, **how):
    """Run a 5 Hz tick against arrivals; waiting time of the newest message at each tick, and shifts."""
    tick_s, newest_s, waits, shifts = arrivals[0] + 1.03, 0.0, [], []
    arrivals = list(arrivals)
    for _ in range(ticks):
        while arrivals[0] <= tick_s:
            newest_s = arrivals.pop(0)
            lock.arrived(newest_s)
        waits.append(tick_s - newest_s)
        shifts.append(lock.correction_s(tick_s, **how))
        tick_s += 0.2 + shifts[-1]
    return np.array(waits), np.array(shifts)


@pytest.mark.parametrize("offset_s", [0.0, 0.02, 0.05, 0.08])
def test_phase_lock_brings_the_tick_just_behind_the_arrivals(offset_s):
    waits, shifts = simulate(PhaseLock(), offset_s + 0.1 * np.arange(400))
    assert waits[-1] == pytest.approx(0.01, abs=0.003)
    assert np.abs(shifts).max() <= 0.004


def test_phase_lock_leaves_room_for_jitter_so_that_few_messages_miss_the_tick():
    arrivals = np.sort(0.1 * np.arange(400) + np.random.default_rng(0).normal(0, 0.008, 400))
    waits, _ = simulate(PhaseLock(), arrivals)
    settled = waits[50:]
    assert 0.015 < np.median(settled) < 0.05
    assert np.mean(settled > 0.08) < 0.05, "messages that missed the tick are used a period later"


def test_phase_lock_settles_within_a_second_where_it_may_shift_freely():
    waits, _ = simulate(PhaseLock(), 0.1 * np.arange(60), ticks=15, freely=True)
    assert np.all(np.abs(waits[6:] - 0.01) < 0.005)


def test_phase_lock_leaves_the_tick_alone_when_nothing_arrives():
    lock = PhaseLock()
    assert lock.correction_s(1.0) == 0.0
    lock.arrived(1.0)
    lock.arrived(1.1)
    assert lock.correction_s(3.0) == 0.0


def test_mailbox_hands_over_the_newest_and_counts_the_rest():
    mailbox = LatestOfEach([""])
    for item in range(5):
        mailbox.put(item, "")
    assert mailbox.take(0) == {"": 4}
    assert mailbox.take(0) == {}
    assert mailbox.replaced == 4


def test_mailbox_wakes_who_waits():
    mailbox = LatestOfEach(["only"])
    threading.Timer(0.05, mailbox.put, ("new", "only")).start()
    assert mailbox.take(2.0) == {"only": "new"}


def test_mailbox_of_several_gives_what_is_there_in_the_senders_order():
    mailbox = LatestOfEach(["left", "right"])
    mailbox.put("r", "right")
    threading.Timer(0.05, mailbox.put, ("l", "left")).start()
    assert list(mailbox.take(2.0, together_s=2.0).items()) == [("left", "l"), ("right", "r")]
    mailbox.put("l2", "left")
    started_s = time.monotonic()
    assert mailbox.take(2.0, together_s=0.05) == {"left": "l2"}, "a camera that is gone holds no other up"
    assert time.monotonic() - started_s < 1.0
    mailbox.put("r2", "right")
    mailbox.clear()
    assert mailbox.take(0) == {}
    assert mailbox.replaced == 0


def test_samples_summarise_what_is_still_in_the_window():
    samples = Samples()
    assert samples.summary() == {}
    for value in range(1, 101):
        samples.add(value)
    assert samples.summary() == {
        "p50": 50.5,
        "p95": pytest.approx(95.05),
        "p99": pytest.approx(99.01),
        "max": 100,
    }
    for _ in range(3000):
        samples.add(1.0)
    assert samples.summary()["max"] == 1.0


def test_rate_counts_since_it_was_asked_last():
    rate = Rate()
    for _ in range(10):
        rate.tick()
    time.sleep(0.1)
    assert 50 < rate.per_second() <= 100
    assert rate.per_second() == 0
