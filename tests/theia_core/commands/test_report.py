import json

import pytest

from theia_core.analysis.page.browser import find_chromium
from theia_core.cli import main
from theia_core.evaluation import Ledger, clopper_pearson
from theia_core.tasks import get_task

DOOR = get_task("door")


@pytest.fixture
def ledger(tmp_path):
    def ledger(name="l.jsonl", n=50, fully=45, **changes):
        book = Ledger(tmp_path / name)
        for trial in DOOR.protocol.trials(1000, n):
            solved = trial.index < fully
            record = {
                "task": "door",
                "simulated": True,
                "index": trial.index,
                "seed": trial.seed,
                "cell": trial.cell,
                "stages": {"open": True, "fully_open": solved},
                "steps": 60,
                "guard_refusals": {},
                "failure": None if solved else "the grip slipped",
                "policy": "p@1",
                "encoder": "e@2",
                "protocol_hash": DOOR.protocol.hash,
                "eval_seed": 1000,
            }
            book.append({**record, **changes})
        return str(book.path)

    return ledger


def test_the_report_shows_rates_intervals_and_failures(ledger, tmp_path, capsys):
    assert main(["report", ledger()]) == 0
    out = capsys.readouterr().out
    assert "p@1 on e@2" in out
    assert "50 SIMULATED trials" in out
    assert "45/50" in out
    assert "78 to 97 %" in out
    assert "failures: the grip slipped 5" in out
    assert "incomplete" not in out
    assert f"wrote {tmp_path / 'l.html'}" in out
    assert "45/50 = 90 %" in (tmp_path / "l.html").read_text()


def test_policies_are_reported_apart_and_written_as_json(ledger, tmp_path, capsys):
    paths = [ledger("a.jsonl", fully=50), ledger("b.jsonl", n=10, fully=3, policy="q@3")]
    assert main(["report", *paths, "--json", str(tmp_path / "r.json")]) == 0
    assert "incomplete: q@3, door: 40 of 50 trials are missing" in capsys.readouterr().out
    first, second = json.loads((tmp_path / "r.json").read_text())
    assert (first["policy"], second["policy"]) == ("p@1", "q@3")
    assert second["stages"]["fully_open"] == {
        "successes": 3,
        "trials": 10,
        "ci95": list(clopper_pearson(3, 10)),
    }


def test_trials_of_an_older_protocol_are_marked(ledger, capsys):
    assert main(["report", ledger(protocol_hash="0123456789ab")]) == 0
    assert "the protocol has changed since" in capsys.readouterr().out


def test_missing_empty_and_foreign_files_are_named(tmp_path, capsys):
    assert main(["report", str(tmp_path / "none.jsonl")]) == 2
    assert "no ledger" in capsys.readouterr().err
    (tmp_path / "empty.jsonl").touch()
    assert main(["report", str(tmp_path / "empty.jsonl")]) == 2
    assert "no trials in" in capsys.readouterr().err
    (tmp_path / "other.jsonl").write_text('{"a": 1}\n')
    assert main(["report", str(tmp_path / "other.jsonl")]) == 2
    assert "lacks task, index, stages" in capsys.readouterr().err


def test_trials_that_two_ledgers_hold_count_once_and_are_named(ledger, tmp_path, capsys):
    paths = [ledger("a.jsonl"), ledger("b.jsonl", fully=10)]
    assert main(["report", *paths, "--json", str(tmp_path / "r.json")]) == 0
    out = capsys.readouterr().out
    assert "45/50" in out and "10/50" not in out
    assert f"recorded twice: trial 0 of p@1: {paths[0]}, line 1 counts, {paths[1]}, line 1 has" in out
    assert "(and 49 more)" in out
    (result,) = json.loads((tmp_path / "r.json").read_text())
    assert result["stages"]["fully_open"]["successes"] == 45


@pytest.mark.slow
def test_the_page_is_printed_where_there_is_a_browser(ledger, tmp_path, capsys, monkeypatch):
    pdf = tmp_path / "r.pdf"
    words = ["report", ledger(), "--html", str(tmp_path / "r.html"), "--pdf", str(pdf)]
    if find_chromium() is not None:
        assert main(words) == 0
        assert pdf.read_bytes().startswith(b"%PDF")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(words) == 2
    assert "no Chromium to print a PDF with" in capsys.readouterr().err
