"""theia eval, killed and resumed: no trial is lost or repeated, and the report is that of an unbroken run."""

import json
import signal
import subprocess
import sys
import time

import pytest

from theia_core.cli import main
from theia_core.evaluation import Ledger

# What differs between any two runs of the same trials.
CLOCKS = ("wall_s", "latency", "at", "software")
EVAL = ["eval", "door", "--policy", "expert", "--seed", "7", "--trials", "4", "--workers", "1"]


def result_of(ledger, folder):
    out = folder / f"{ledger.stem}.json"
    assert main(["report", str(ledger), "--json", str(out)]) == 0
    results = json.loads(out.read_text())
    for result in results:
        for trial in result["trials"]:
            for clock in CLOCKS:
                trial.pop(clock, None)
    return results


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kill_9_loses_and_repeats_no_trial_and_the_report_is_the_same(tmp_path):
    whole, killed = tmp_path / "whole.jsonl", tmp_path / "killed.jsonl"
    assert main([*EVAL, "--ledger", str(whole)]) == 0
    command = [sys.executable, "-m", "theia_core.cli", *EVAL, "--ledger", str(killed)]
    for wanted in (1, 2):
        process = subprocess.Popen(
            [*command, "--resume"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline_s = time.monotonic() + 400
        while len(Ledger(killed).read()) < wanted:
            assert process.poll() is None and time.monotonic() < deadline_s
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    finished = len(Ledger(killed).read())
    assert 2 <= finished < 4
    assert main([*EVAL, "--ledger", str(killed), "--resume"]) == 0
    lines = [json.loads(line) for line in killed.read_text().splitlines()]
    assert sorted((line["policy"], line["index"]) for line in lines) == sorted(
        (line["policy"], line["index"]) for line in Ledger(whole).read()
    )
    assert result_of(killed, tmp_path) == result_of(whole, tmp_path)


def test_a_protocol_that_was_edited_in_the_middle_of_a_run_is_named(tmp_path, capsys):
    ledger = tmp_path / "l.jsonl"
    words = ["eval", "door", "--policy", "expert", "--seed", "7", "--trials", "1", "--workers", "1"]
    words += ["--ledger", str(ledger)]
    assert main(words) == 0
    before = ledger.read_text()
    (record,) = Ledger(ledger).read()
    ledger.write_text(before.replace(record["protocol_hash"], "0123456789ab"))
    assert main([*words, "--resume"]) == 2
    assert "edited in the middle of a run" in capsys.readouterr().err
    assert ledger.read_text() == before.replace(record["protocol_hash"], "0123456789ab")


@pytest.mark.slow
def test_films_are_linked_from_the_ledger_and_shown_in_the_report(tmp_path):
    pytest.importorskip("av")
    ledger, films = tmp_path / "l.jsonl", tmp_path / "films"
    words = ["eval", "door", "--policy", "expert", "--seed", "7", "--trials", "1", "--workers", "1"]
    assert main([*words, "--ledger", str(ledger), "--films", str(films)]) == 0
    (record,) = Ledger(ledger).read()
    assert record["video"].startswith("films/") and (tmp_path / record["video"]).stat().st_size > 5000
    assert record["latency"]["predict_ms"]["n"] >= record["steps"] - 5
    assert main(["report", str(ledger)]) == 0
    page = (tmp_path / "l.html").read_text()
    assert "film strip of" in page and "data:video/mp4;base64," in page


@pytest.mark.parametrize("words", [("--films", "x"), ("--resume",)])
def test_what_needs_a_ledger_says_so(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["eval", "door", *words]) == 2
    assert "needs --ledger" in capsys.readouterr().err
