"""What an evaluation leaves behind, for one policy and for two."""

import json
from types import SimpleNamespace

import pytest

pytest.importorskip("theia_msgs")

from theia.nodes.evaluation_result import write_results
from theia.nodes.evaluation_run import EvaluationRun
from theia.nodes.timing_report import TimingReport
from theia_core.evaluation.plan import Contestant
from theia_core.tasks import get_task

DOOR = get_task("door")
OBSERVER = SimpleNamespace(timing=TimingReport(), write_token_map=lambda path: None)


@pytest.fixture
def run(tmp_path):
    def run(*names):
        contestants = [Contestant(name, f"{name}@1", "e@1") for name in names]
        parameters = SimpleNamespace(resume="", output=str(tmp_path / "-".join(names)), seed=7, trials=4)
        run = EvaluationRun.open(parameters, DOOR, contestants)
        for turn in run.remaining():
            identity = {
                "policy": turn.contestant.policy_id,
                "encoder": "e@1",
                "eval_seed": 7,
                "simulated": True,
            }
            place = {
                "task": "door",
                "index": turn.trial.index,
                "seed": turn.trial.seed,
                "cell": turn.trial.cell,
            }
            stages = {"open": True, "fully_open": turn.trial.index % 2 == 0}
            protocol = {"protocol_hash": DOOR.protocol.hash, "plan_hash": run.plan.hash, "turn": turn.number}
            run.keep({**identity, **place, **protocol, "stages": stages, "counted": turn.number != 3})
        return run

    return run


def test_one_policy_has_the_usual_result_and_a_page(run, capsys):
    one = run("a")
    write_results(one, OBSERVER, None)
    result = json.loads((one.folder / "result.json").read_text())
    assert result["policy"] == "a@1" and result["stages"]["open"]["trials"] == 3
    assert "paper, real robot" in capsys.readouterr().out
    assert "not counted" in (one.folder / "report.html").read_text().lower()


def test_two_policies_are_side_by_side_and_compared(run, capsys):
    two = run("a", "b")
    write_results(two, OBSERVER, two.folder / "x.mp4")
    result = json.loads((two.folder / "result.json").read_text())
    assert sorted(one["policy"] for one in result["results"]) == ["a@1", "b@1"]
    out = capsys.readouterr().out
    assert "McNemar p" in out and "Barnard p" in out and "x.mp4" in out


def test_nothing_counted_is_said(run, capsys):
    none = run("a")
    none.ledger.path.unlink()
    write_results(none, OBSERVER, None)
    assert "no trial counts yet" in capsys.readouterr().out
