"""The folder of an evaluation: begun, gone on with, and refused where it is another one's."""

from types import SimpleNamespace

import pytest

from theia.nodes.evaluation_run import EvaluationRun
from theia_core.errors import TheiaError
from theia_core.evaluation.plan import Contestant
from theia_core.tasks import get_task

DOOR = get_task("door")
A, B = Contestant("a", "a@1", "e@1"), Contestant("b", "b@2", "e@1")


def parameters(tmp_path, **changes):
    return SimpleNamespace(
        **{"resume": "", "output": str(tmp_path / "runs"), "seed": 7, "trials": 3, **changes}
    )


def record(turn, run, *, done=True, counted=True):
    stages = dict.fromkeys(DOOR.stages, done)
    identity = {"policy": turn.contestant.policy_id, "protocol_hash": DOOR.protocol.hash}
    place = {"task": "door", "index": turn.trial.index, "plan_hash": run.plan.hash, "cell": turn.trial.cell}
    return {**identity, **place, "stages": stages, "counted": counted, "attempt": run.attempt(turn)}


def test_a_run_is_planned_before_the_first_trial_and_goes_on_where_it_stood(tmp_path):
    run = EvaluationRun.open(parameters(tmp_path), DOOR, [A, B])
    assert (run.folder / "plan.json").is_file() and len(run.remaining()) == 6
    first, second = run.remaining()[:2]
    run.keep(record(first, run, counted=False))
    assert run.attempt(first) == 2 and len(run.remaining()) == 6
    run.keep(record(first, run))
    run.keep(record(second, run))
    later = EvaluationRun.open(parameters(tmp_path, resume=str(run.folder), seed=8, trials=0), DOOR, [A, B])
    assert later.plan == run.plan and later.remaining() == run.plan.turns()[2:]
    assert [r["attempt"] for r in later.records()] == [2, 1]


def test_a_run_of_other_policies_or_another_task_is_not_gone_on_with(tmp_path):
    run = EvaluationRun.open(parameters(tmp_path), DOOR, [A, B])
    for task, contestants in ((DOOR, [B, A]), (DOOR, [A]), (get_task("microwave"), [A, B])):
        with pytest.raises(TheiaError, match="start it with the same task and policies"):
            EvaluationRun.open(parameters(tmp_path, resume=str(run.folder)), task, contestants)
    with pytest.raises(TheiaError, match="cannot read the plan"):
        EvaluationRun.open(parameters(tmp_path, resume=str(tmp_path / "none")), DOOR, [A, B])


def test_zero_trials_are_the_complete_protocol(tmp_path):
    run = EvaluationRun.open(parameters(tmp_path, trials=0), DOOR, [A, B])
    assert len(run.remaining()) == 2 * DOOR.protocol.trials_total


def test_two_policies_that_differ_are_told_apart_early(tmp_path):
    run = EvaluationRun.open(parameters(tmp_path, trials=20), DOOR, [A, B])
    assert run.verdict() == ""
    for turn in run.plan.turns():
        run.keep(record(turn, run, done=turn.contestant == A))
        if run.verdict():
            break
    assert "the policies differ, p 0.0" in run.verdict()
    assert len(run.records()) == 14  # seven scenes that only one of them solved


def test_each_session_has_its_own_film_and_episodes_are_named_from_the_run(tmp_path):
    run = EvaluationRun.open(parameters(tmp_path), DOOR, [A])
    first = run.film_path()
    first.touch()
    assert (first.name, run.film_path().name) == ("door.mp4", "door_2.mp4")
    assert run.relative(str(run.folder.parent / "x.mcap")) == "../x.mcap" and run.relative("") == ""
    turn = run.plan.turns()[0]
    assert run.episode_name(turn).endswith("_trial_000")
    run.keep(record(turn, run, counted=False))
    assert run.episode_name(turn).endswith("_trial_000_2")
