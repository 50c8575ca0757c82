import json

import pytest

from theia_core.cli import main


def test_a_plan_is_written_before_the_first_trial(tmp_path, capsys):
    words = ["plan", "door", "--policy", "door", "--policy", "door-efficientnet-lite2-s16", "--seed", "7"]
    assert main([*words, "--scenes", "10", "--out", str(tmp_path / "ab")]) == 0
    out = capsys.readouterr().out
    plan = json.loads((tmp_path / "ab" / "plan.json").read_text())
    assert f"plan {plan['plan_hash']}: 20 trials, seed 7" in out
    assert [one["policy"] for one in plan["contestants"]] == ["door", "door-efficientnet-lite2-s16"]
    assert len(plan["turns"]) == 20 and plan["contestants"][0]["policy_id"].startswith("door-bc@")


def test_power_says_how_many_trials_a_difference_needs(capsys):
    assert main(["plan", "door", "--rate", "0.66", "--difference", "0.26"]) == 0
    out = capsys.readouterr().out
    assert "50 trials of each policy" in out
    assert "power to tell 66% and 92% apart at p 0.05 (Barnard): 9" in out
    assert "trials of each policy for a power of 80%: 36" in out
    assert "trials of each policy for a power of 90%: 49" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("door", "--out", "x"), "--out needs --policy"),
        (("door", "--rate", "0.9", "--difference", "0.2"), "leave the range 0 to 1"),
        (("door", "--policy", "nosuch"), "unknown policy 'nosuch'"),
        (("pick_place", "--policy", "door"), "was trained for the task 'door'"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["plan", *words]) == 2
    assert message in capsys.readouterr().err
