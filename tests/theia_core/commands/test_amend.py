import json

import pytest

from theia_core.cli import main
from theia_core.evaluation import Ledger
from theia_core.evaluation.identity import trial_id


@pytest.fixture
def ledger(tmp_path):
    path = tmp_path / "l.jsonl"
    for index in range(3):
        stages = {"open": True, "fully_open": False}
        Ledger(path).append({"task": "door", "policy": "p@1", "index": index, "stages": stages, "cell": {}})
    return path


def test_an_amendment_is_appended_and_the_trial_reads_differently(ledger, capsys):
    assert main(["amend", str(ledger), "--list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == 3
    identity = listed[1].split()[0]
    assert identity == trial_id(Ledger(ledger).read()[1])
    assert main(["amend", str(ledger), identity, "--stage", "fully_open=yes", "--why", "misread"]) == 0
    assert "fully_open yes" in capsys.readouterr().out
    assert main(["amend", str(ledger), identity, "--not-counted", "--why", "a cable fell"]) == 0
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert len(lines) == 5 and not lines[1]["stages"]["fully_open"]
    trial = Ledger(ledger).read()[1]
    assert trial["stages"]["fully_open"] and trial["why_not_counted"] == "a cable fell"
    assert main(["report", str(ledger)]) == 0
    out = capsys.readouterr().out
    assert "2 real-robot trials" in out and "not counted: trial 1 of p@1" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("0000000000", "--stage", "open=no", "--why", "x"), "has no trial 0000000000"),
        (("0000000000", "--stage", "open=perhaps", "--why", "x"), "write NAME=yes or NAME=no"),
        (("0000000000", "--why", "x"), "say which trial, and what changes"),
    ],
)
def test_what_cannot_be_amended_is_said(ledger, words, message, capsys):
    assert main(["amend", str(ledger), *words]) == 2
    assert message in capsys.readouterr().err
    assert main(["amend", str(ledger) + "x", "--list"]) == 2
