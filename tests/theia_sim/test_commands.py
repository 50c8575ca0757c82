"""theia collect and theia eval, as the user types them."""

import json

import pytest

from theia_core.cli import main
from theia_core.episodes import find_episodes, load_episode, resample
from theia_core.evaluation import Ledger


def run(*words):
    return main([str(word) for word in words])


@pytest.mark.slow
def test_collect_records_episodes_that_training_can_read_and_resumes(tmp_path, capsys):
    assert run("collect", "door", "--episodes", 2, "--out", tmp_path, "--workers", 1, "--noise-mm", 3) == 0
    paths = find_episodes(tmp_path)
    assert len(paths) == 2
    episode = load_episode(paths[0])
    assert episode.metadata["success"] and episode.metadata["noise_mm"] == 3
    steps = resample(episode)
    assert len(steps.images) == len(steps.joints) == len(steps.actions) == episode.metadata["steps"]
    assert steps.images[0].shape == (480, 640, 3)
    capsys.readouterr()
    assert run("collect", "door", "--episodes", 2, "--out", tmp_path, "--workers", 1) == 0
    assert "2 of 2 episodes are there already" in capsys.readouterr().out


def test_eval_writes_the_documented_json_and_resumes_from_the_ledger(tmp_path, capsys):
    out, ledger = tmp_path / "out.json", tmp_path / "trials.jsonl"
    words = ("eval", "door", "--policy", "expert", "--seed", 7, "--workers", 1, "--ledger", ledger)
    assert run(*words, "--trials", 2) == 0
    assert run(*words, "--trials", 3, "--resume", "--json", out) == 0
    assert "2 of 3 trials are in the ledger already" in capsys.readouterr().out
    result = json.loads(out.read_text())
    assert result["simulated"] is True and result["task"] == "door" and result["seed"] == 7
    stage = result["stages"]["fully_open"]
    assert stage["trials"] == 3 and len(stage["ci95"]) == 2
    assert sorted(record["index"] for record in Ledger(ledger).read()) == [0, 1, 2]


@pytest.mark.parametrize("task", ["pick_place", "microwave"])
def test_every_simulated_task_can_be_evaluated(task, tmp_path):
    out = tmp_path / "out.json"
    assert run("eval", task, "--policy", "expert", "--trials", 1, "--workers", 1, "--json", out) == 0
    assert all(stage["successes"] == 1 for stage in json.loads(out.read_text())["stages"].values())


def test_eval_compares_several_on_the_same_trials_and_resumes_where_each_stands(tmp_path, capsys):
    out, ledger = tmp_path / "out.json", tmp_path / "trials.jsonl"
    words = ("eval", "door", "--seed", 7, "--workers", 1, "--ledger", ledger)
    assert run(*words, "--policy", "expert", "--trials", 2) == 0
    words = (*words, "--policy", "expert", "--policy", "door", "--resume", "--json", out)
    assert run(*words, "--trials", 1) == 0
    shown = capsys.readouterr().out
    assert "1 of 2 trials are in the ledger already" in shown
    assert "McNemar p" in shown
    result = json.loads(out.read_text())
    assert (result["task"], result["seed"], result["trials"], result["simulated"]) == ("door", 7, 1, True)
    expert, policy = result["results"]
    assert expert["policy"] == "scripted-expert" and policy["policy"].startswith("door-bc@")
    same = [(r["trials"][0]["seed"], r["trials"][0]["cell"]) for r in result["results"]]
    assert same[0] == same[1]
    (comparison,) = result["comparisons"]
    assert comparison["stages"]["fully_open"]["trials"] == 1
    assert [record["policy"] for record in Ledger(ledger).read()].count("scripted-expert") == 2


@pytest.mark.slow
def test_eval_compares_executions_and_tells_them_apart_when_it_resumes(tmp_path, capsys):
    out, ledger, table = tmp_path / "out.json", tmp_path / "trials.jsonl", tmp_path / "table.md"
    words = ("eval", "door", "--seed", 7, "--workers", 1, "--trials", 1, "--ledger", ledger)
    first = ("--execution", "receding:4")
    assert run(*words, *first) == 0
    words = (*words, "--resume", "--json", out, "--markdown", table)
    assert run(*words, *first, "--execution", "ensemble:0.1") == 0
    assert "1 of 2 trials are in the ledger already" in capsys.readouterr().out
    result = json.loads(out.read_text())
    assert [one["execution"] for one in result["results"]] == ["receding:4", "ensemble:0.1"]
    assert [result["comparisons"][0][who]["execution"] for who in "ab"] == ["receding:4", "ensemble:0.1"]
    receding, ensemble = (one["jumps"] for one in result["results"])
    assert receding["elsewhere_m"]["median"] > 0 and "elsewhere_m" not in ensemble
    lines = table.read_text().splitlines()
    assert lines[2] == "| execution | open | fully_open | jump at seams | jump elsewhere |"
    assert lines[4].startswith("| receding:4 |") and lines[5].startswith("| ensemble:0.1 |")
    assert run(*words, *first, "--latency-ms", 300) == 0
    assert "0 of 1 trials are in the ledger already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("eval", "door", "--policies", "runs"), "--policies needs --encoder"),
        (("eval", "door", "--encoder", "no_such_encoder"), "no_such_encoder"),
        (("eval", "door", "--trials", "0"), "--trials must be at least 1"),
        (("eval", "door", "--latency-ms", "500"), "--latency-ms 500 cannot be simulated"),
        (("eval", "door", "--latency-ms", "30"), "a multiple of 20"),
        (("eval", "door", "--execution", "fast"), "execution 'fast' is unknown"),
        (("eval", "door", "--resume"), "--resume needs --ledger"),
        (("eval", "door", "--policy", "no_such_policy"), "no_such_policy"),
        (("eval", "door", "--policy", "expert", "--json", "/no/such/folder/x.json"), "/no/such/folder"),
        (("collect", "door", "--episodes", "0", "--out", "x"), "--episodes must be at least 1"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*words) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
