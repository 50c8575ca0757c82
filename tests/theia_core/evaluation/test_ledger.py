import json
import signal
import subprocess
import sys

import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_core.evaluation import Ledger

APPEND_FOREVER = """
import sys
from theia_core.evaluation import Ledger
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
