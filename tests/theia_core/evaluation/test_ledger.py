import json
import signal
import subprocess
import sys

import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_core.evaluation import Ledger
from theia_core.evaluation.identity import trial_id

APPEND_FOREVER = """
import sys
from theia_core.evaluation import Ledger
from theia_core.evaluation.identity import trial_id
ledger = Ledger(sys.argv[1])
for index in range(10**6):
    ledger.append({"index": index, "padding": "x" * 500})
    print(index, flush=True)
"""


def test_records_come_back_in_order_and_a_missing_file_has_none(tmp_path):
    ledger = Ledger(tmp_path / "l.jsonl")
    assert ledger.read() == []
    for index in range(3):
        ledger.append({"index": index})
    assert [record["index"] for record in ledger.read()] == [0, 1, 2]
    assert len(ledger.path.read_text().splitlines()) == 3


def test_numpy_values_are_written_as_plain_ones(tmp_path):
    ledger = Ledger(tmp_path / "l.jsonl")
    ledger.append({"done": np.bool_(True), "x": np.float32(0.5), "n": np.int64(3), "v": np.arange(2)})
    assert ledger.read() == [{"done": True, "x": 0.5, "n": 3, "v": [0, 1]}]


def test_nan_and_strange_objects_are_refused_and_nothing_is_written(tmp_path):
    ledger = Ledger(tmp_path / "l.jsonl")
    for value in (float("nan"), object()):
        with pytest.raises(TheiaError, match="trial record cannot be written"):
            ledger.append({"value": value})
    assert not ledger.path.exists()


def test_a_torn_last_line_is_no_trial_and_the_next_append_drops_it(tmp_path):
    ledger = Ledger(tmp_path / "l.jsonl")
    ledger.append({"index": 0})
    with ledger.path.open("a") as stream:
        stream.write('{"index": 1, "stag')
    assert [record["index"] for record in ledger.read()] == [0]
    ledger.append({"index": 2})
    assert [record["index"] for record in ledger.read()] == [0, 2]


def test_a_last_line_that_lacks_only_its_newline_is_kept(tmp_path):
    ledger = Ledger(tmp_path / "l.jsonl")
    ledger.path.write_text('{"index": 0}\n{"index": 1}')
    ledger.append({"index": 2})
    assert [record["index"] for record in ledger.read()] == [0, 1, 2]


def test_a_damaged_line_in_the_middle_is_named(tmp_path):
    path = tmp_path / "l.jsonl"
    path.write_text('{"index": 0}\nnot json\n{"index": 2}\n')
    with pytest.raises(TheiaError, match="line 2 is no trial record: 'not json'"):
        Ledger(path).read()


def test_kill_9_loses_no_acknowledged_trial(tmp_path):
    path = tmp_path / "l.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-c", APPEND_FOREVER, str(path)], stdout=subprocess.PIPE, text=True
    )
    acknowledged = [int(process.stdout.readline()) for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in process.stdout]
    process.wait()
    indices = [record["index"] for record in Ledger(path).read()]
    assert indices[: len(acknowledged)] == acknowledged
    Ledger(path).append({"index": -1})
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_a_ledger_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(TheiaError, match=r"cannot write ledger .*nowhere"):
        Ledger(tmp_path / "nowhere" / "l.jsonl").append({})


def _trial(index, **values):
    stages = {"open": True, "fully_open": False}
    return {"task": "door", "policy": "p@1", "index": index, "stages": stages, "eval_seed": 7, **values}


def test_an_amendment_is_a_line_of_its_own_and_readers_see_the_trial_amended(tmp_path):
    ledger = Ledger(tmp_path / "l.jsonl")
    for index in range(3):
        ledger.append(_trial(index))
    before = ledger.path.read_text()
    amended = ledger.amend(trial_id(_trial(1)), {"stages": {"fully_open": True}, "notes": "n"}, why="misread")
    assert ledger.path.read_text().startswith(before)
    trials = ledger.read()
    assert [trial["stages"]["fully_open"] for trial in trials] == [False, True, False]
    assert trials[1] == amended and trials[1]["amendments"][0]["why"] == "misread"
    ledger.amend(trial_id(_trial(1)), {"stages": {"fully_open": False}}, why="no, it was right")
    assert not ledger.read()[1]["stages"]["fully_open"] and len(ledger.read()[1]["amendments"]) == 2


@pytest.mark.parametrize(
    ("trial", "changes", "why", "message"),
    [
        (0, {"policy": "q@2"}, "x", "policy cannot be amended"),
        (0, {"stages": {"shut": True}}, "x", "has no stage shut"),
        (0, {"notes": "x"}, " ", "needs a reason"),
        (9, {"notes": "x"}, "x", "has no trial"),
    ],
)
def test_an_amendment_that_cannot_be_is_refused(tmp_path, trial, changes, why, message):
    ledger = Ledger(tmp_path / "l.jsonl")
    ledger.append(_trial(0))
    with pytest.raises(TheiaError, match=message):
        ledger.amend(trial_id(_trial(trial)), changes, why=why)
    assert len(ledger.path.read_text().splitlines()) == 1


def test_trials_differ_in_evaluation_index_and_attempt_and_not_in_what_happened():
    first = trial_id(_trial(0))
    assert trial_id(_trial(0, steps=9, stages={})) == first
    others = [_trial(1), _trial(0, policy="q@2"), _trial(0, attempt=2), _trial(0, eval_seed=8)]
    assert len({first, *map(trial_id, others)}) == 5


def test_two_evaluations_cannot_write_one_ledger(tmp_path):
    ledger = Ledger(tmp_path / "l.jsonl")
    with ledger.owned(), pytest.raises(TheiaError, match="another evaluation writes"), ledger.owned():
        pass
    with ledger.owned():
        ledger.append(_trial(0))


def test_a_torn_line_longer_than_a_block_is_found(tmp_path):
    ledger = Ledger(tmp_path / "l.jsonl")
    ledger.append({"index": 0})
    assert not ledger.is_torn()
    with ledger.path.open("a") as stream:
        stream.write('{"index": 1, "notes": "' + "x" * 200_000)
    assert ledger.is_torn()
    ledger.append({"index": 2})
    assert [record["index"] for record in ledger.read()] == [0, 2] and not ledger.is_torn()
