"""theia collect and theia eval with the microwave task, as the user types them."""

import json

import pytest

from theia_core.cli import main
from theia_core.episodes import find_episodes, load_episode


def run(*words):
    return main([str(word) for word in words])


def test_eval_reports_seen_and_unseen_foods_apart(tmp_path, capsys):
    out = tmp_path / "out.json"
    words = ("eval", "microwave", "--policy", "expert", "--seed", 3, "--trials", 4, "--workers", 1)
    assert run(*words, "--json", out) == 0
    result = json.loads(out.read_text())
    assert result["task"] == "microwave" and result["simulated"] is True
    assert result["stages"]["close_door"] == {**result["stages"]["pick"], "successes": 4}
    tried = {name: group["place"]["trials"] for name, group in result["groups"].items()}
    assert tried["seen"] + tried["unseen"] == 4 and min(tried.values()) >= 1
    assert "close_door, unseen" in capsys.readouterr().out


@pytest.mark.slow
def test_demonstrations_show_the_seen_foods_in_turn(tmp_path, capsys):
    assert run("collect", "microwave", "--episodes", 2, "--out", tmp_path, "--workers", 1) == 0
    scenes = [json.loads(load_episode(path).metadata["randomisation"]) for path in find_episodes(tmp_path)]
    assert [scene["food"] for scene in scenes] == ["carrot", "tomato"]
    capsys.readouterr()
    assert run("episodes", "check", tmp_path) == 0
    assert "coverage of food: carrot 1, tomato 1, egg 0" in capsys.readouterr().out
