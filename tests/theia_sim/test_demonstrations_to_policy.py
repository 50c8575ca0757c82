"""From scripted demonstrations to a trial of the policy that learned from them, as the user types it."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")
from theia_core.cli import main
from theia_core.episodes import find_episodes, load_episode, resample
from theia_core.tasks import get_task

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def run(*words):
    return main([str(word) for word in words])


@pytest.mark.parametrize("task", ["pick_place", "microwave"])
def test_a_policy_learns_from_noisy_demonstrations_and_is_tried_and_corrected(task, tmp_path):
    data, policy, out = tmp_path / "data", tmp_path / "policy", tmp_path / "out.json"
    one = ("--workers", 1)
    assert run("collect", task, "--episodes", 2, "--noise-mm", 4, "--seed", 1000, "--out", data, *one) == 0
    demonstrations = [load_episode(path) for path in find_episodes(data)]
    assert [episode.metadata["seed"] for episode in demonstrations] == [1000, 1001]
    assert all(episode.metadata["success"] for episode in demonstrations)

    assert run("train", task, "--data", data, "--out", policy, "--epochs", 1, "--threads", 1) == 0
    meta = json.loads((policy / "policy.json").read_text())
    assert (meta["task"], meta["horizon"]) == (task, get_task(task).chunk_horizon)

    assert run("eval", task, "--policy", policy, "--trials", 1, "--json", out, *one) == 0
    result = json.loads(out.read_text())
    assert list(result["stages"]) == list(get_task(task).stages)
    assert result["execution"] == "receding:4" and result["trials"][0]["steps"] > 20

    corrections = tmp_path / "corrections"
    words = ("--episodes", 1, "--policy", policy, "--seed", 3000, "--out", corrections)
    assert run("collect", task, *words, *one) == 0
    (path,) = find_episodes(corrections)  # kept although the policy fails: it is labelled by the expert
    assert load_episode(path).metadata["operator"].endswith("+expert-labels")
    assert np.abs(resample(load_episode(path)).actions[:, :3]).max() > 0.01
