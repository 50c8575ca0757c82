"""Which chunk goes out at a control step, and which actions of a prediction it holds."""

import numpy as np
import pytest

from theia_core.actions.execution import ChunkExecution, ExecutionMode
from theia_core.errors import TheiaError

DT_S = 0.2


def prediction(start=0.0, horizon=10):
    """(H, 7): action i moves by start + i mm on x and keeps the gripper open."""
    actions = np.zeros((horizon, 7), np.float32)
    actions[:, 0] = 0.001 * (start + np.arange(horizon))
    actions[:, 6] = 1
    return actions


def execution(mode):
    mode = ExecutionMode.parse(mode, execute_steps=4, horizon=10)
    return ChunkExecution(mode, "door@1", DT_S)


def first_mm(chunk):
    return float(chunk.actions[0, 0]) * 1000


def play(mode, *, age_s, steps):
    """First actions [mm] of the chunks of `steps` control steps; predictions are numbered by hundreds."""
    run, sent = execution(mode), []
    for step in range(steps):
        now_s = 5.0 + DT_S * step
        if run.needs_prediction(now_s):
            run.predicted(prediction(start=100 * run.predictions), now_s - age_s)
        sent.append(run.step(now_s))
    return run, sent


def test_each_step_sends_what_is_left_of_the_prediction_with_a_new_number_and_expiry():
    run, sent = play("receding:3", age_s=0.1, steps=3)
    assert [first_mm(chunk) for chunk in sent] == pytest.approx([0, 1, 2])
    assert [chunk.horizon for chunk in sent] == [10, 9, 8]
    assert [chunk.stamp_s for chunk in sent] == pytest.approx([4.9, 5.1, 5.3])
    assert [chunk.expires_at_s for chunk in sent] == pytest.approx([5.4, 5.6, 5.8])
    assert [chunk.sequence for chunk in sent] == [1, 2, 3]
    assert run.needs_prediction(5.6) and run.dropped_late == 0


def test_prediction_shorter_than_the_steps_to_execute_is_used_up():
    run = execution("receding:5")
    run.predicted(prediction(horizon=2), 10.0)
    run.step(10.0)
    assert not run.needs_prediction(10.2)
    run.step(10.2)
    assert run.needs_prediction(10.4)


@pytest.mark.parametrize(("age_s", "late"), [(0.0, 0), (0.19, 0), (0.2, 1), (0.3, 1), (0.5, 2)])
def test_a_prediction_k_steps_late_starts_at_its_kth_action_and_lasts_as_long(age_s, late):
    run, sent = play("receding:4", age_s=age_s, steps=6)
    expected = [late, late + 1, late + 2, late + 3, 100 + late, 100 + late + 1]
    assert [first_mm(chunk) for chunk in sent] == pytest.approx(expected)
    assert all(chunk.due_index(5.0 + DT_S * step) == 0 for step, chunk in enumerate(sent))
    assert run.dropped_late == 2 * late


def test_a_late_prediction_is_followed_by_the_next_before_it_runs_out():
    _, sent = play("receding:10", age_s=0.5, steps=9)
    assert [first_mm(chunk) for chunk in sent] == pytest.approx([2, 3, 4, 5, 6, 7, 8, 9, 102])


def test_without_compensation_late_predictions_are_played_from_their_first_action():
    run, sent = play("receding:4,no-latency-compensation", age_s=0.5, steps=5)
    assert [first_mm(chunk) for chunk in sent] == pytest.approx([0, 1, 2, 3, 100])
    assert all(chunk.due_index(5.0 + DT_S * step) == 0 for step, chunk in enumerate(sent))
    assert run.dropped_late == 0


def test_a_missed_control_step_consumes_its_action():
    run = execution("receding:4")
    run.predicted(prediction(), 4.9)
    run.step(5.0)
    assert first_mm(run.step(5.41)) == pytest.approx(2)  # the step at 5.2 did not happen
    assert run.needs_prediction(5.8)


def test_a_prediction_of_which_nothing_is_left_becomes_an_order_to_hold():
    run = execution("receding:2")
    run.predicted(prediction(horizon=2), 4.5)
    chunk = run.step(5.0)
    assert chunk.horizon == 0
    assert chunk.reason == "the prediction is 2 steps old and has only 2 actions"
    assert run.needs_prediction(5.0)


@pytest.mark.parametrize("mode", ["receding:4", "ensemble:0.1"])
def test_order_to_hold_forgets_the_predictions_and_continues_the_numbers(mode):
    run = execution(mode)
    run.predicted(prediction(), 10.0)
    run.step(10.0)
    hold = run.hold(10.3, "tokens stale")
    assert (hold.horizon, hold.reason, hold.sequence) == (0, "tokens stale", 2)
    assert hold.expires_at_s > 10.3
    assert run.needs_prediction(10.4)
    run.predicted(prediction(start=100), 10.4)
    assert first_mm(run.step(10.4)) == pytest.approx(100)  # nothing of the old one is averaged in


@pytest.mark.parametrize("age_s", [0.1, 0.3])
def test_ensembling_averages_the_actions_that_are_due_at_one_time(age_s):
    late = int(age_s / DT_S)
    _, (_, _, third) = play("ensemble:0.5", age_s=age_s, steps=3)
    # Predictions 0, 100, 200 were observed at steps 0, 1, 2; at step 2 actions 2, 1, 0 (+ late) are due.
    oldest_first = np.array([0 + 2 + late, 100 + 1 + late, 200 + late], dtype=np.float64)
    weights = np.array([1.0, 0.6065306597126334, 0.36787944117144233])  # exp(-0.5 i), i = 0 the oldest
    assert first_mm(third) == pytest.approx(oldest_first @ weights / weights.sum(), rel=1e-6)
    assert third.horizon == 10 - late
    assert float(third.actions[-1, 0]) * 1000 == pytest.approx(
        209, rel=1e-6
    )  # only the newest reaches so far


def test_ensembling_predicts_at_every_step_and_counts_one_observation_once():
    run = execution("ensemble:0")
    run.predicted(prediction(), 4.9)
    run.step(5.0)
    assert run.needs_prediction(5.2)
    run.predicted(prediction(start=50), 4.9)  # no newer frame came
    assert first_mm(run.step(5.2)) == pytest.approx(51)


def test_seamless_predictions_are_left_as_they_are_by_ensembling():
    run, truth = execution("ensemble:0.1"), 0.001 * np.arange(40)
    for step in range(12):
        actions = np.zeros((10, 7), np.float32)
        actions[:, 0] = truth[step : step + 10]
        run.predicted(actions, DT_S * step)
        chunk = run.step(DT_S * step + 0.1)
        np.testing.assert_allclose(chunk.actions[:, 0], truth[step : step + 10], atol=1e-8)


def test_a_prediction_that_is_not_finite_reaches_the_guard_and_spoils_no_later_one():
    run = execution("ensemble:0.1")
    run.predicted(np.full((10, 7), np.nan, np.float32), 4.9)
    assert not np.any(np.isfinite(run.step(5.0).actions[:, :6]))
    run.predicted(prediction(start=7), 5.1)
    chunk = run.step(5.2)
    assert first_mm(chunk) == pytest.approx(7) and np.all(np.isfinite(chunk.actions))


def test_only_deltas_are_ensembled():
    with pytest.raises(TheiaError, match="not of ee_pose"):
        ChunkExecution(ExecutionMode(ensemble_m=0.1), "p@1", DT_S, "ee_pose")
