"""From ledgers to runs: what counts, and what is named as a deviation; nothing is lost."""

import json
import subprocess
import sys

import pytest

from theia_core.errors import TheiaError
from theia_core.evaluation import Ledger
from theia_core.evaluation.identity import trial_id
from theia_core.evaluation.runs import gather
from theia_core.tasks import get_task


@pytest.fixture
def write(tmp_path):
    def write(records, name="l.jsonl"):
        path = tmp_path / name
        with path.open("a") as file:
            file.writelines(json.dumps(record) + "\n" for record in records)
        return path

    return write


def kinds(evaluations):
    return sorted({deviation.kind for deviation in evaluations.deviations})


def test_complete_runs_deviate_in_nothing(trials, write):
    found = gather([write(trials()), write(trials(policy="other@1"), "m.jsonl")])
    assert [len(run.records) for run in found.runs] == [50, 50]
    assert found.deviations == []
    assert [record["index"] for record in found.runs[0].records] == list(range(50))
    assert len(found.runs[0].failures) == 5 and found.runs[0].refusals == {"joint_step": 1}


def test_the_first_of_a_doubled_trial_counts_and_the_other_is_named(trials, write):
    records = trials()
    other = {**records[3], "stages": {"open": False, "fully_open": False}}
    path = write([*records, records[2], other])
    found = gather([path])
    assert len(found.runs[0].records) == 50 and found.runs[0].records[3]["stages"]["open"]
    details = [d.detail for d in found.deviations if d.kind == "recorded twice"]
    assert details == [
        f"trial 2 of door-bc@0123: {path}, line 3 counts, {path}, line 51 has the same result",
        f"trial 3 of door-bc@0123: {path}, line 4 counts, {path}, line 52 has another result",
    ]


def test_a_protocol_edited_in_the_middle_parts_the_run_and_is_named(trials, write):
    records = trials()
    edited = [{**record, "protocol_hash": "0123456789ab"} for record in records[:20]] + records[20:]
    found = gather([write(edited)])
    assert sorted(len(run.records) for run in found.runs) == [20, 30]
    assert {"protocol edited", "other protocol", "incomplete"} <= set(kinds(found))


def test_what_the_operator_left_out_or_amended_is_named_with_the_reason(trials, write):
    records = trials()
    spoiled = {**records[0], "counted": False, "why_not_counted": "a cable fell", "attempt": 1}
    path = write([spoiled, {**records[0], "attempt": 2}, *records[1:]])
    Ledger(path).amend(trial_id(records[7]), {"stages": {"open": False}}, why="read the wrong line")
    found = gather([path])
    details = {deviation.kind: deviation.detail for deviation in found.deviations}
    assert "a cable fell" in details["not counted"]
    assert "open no, because read the wrong line" in details["amended"]
    assert len(found.runs[0].records) == 50 and not found.runs[0].records[7]["stages"]["open"]


def test_torn_lines_missing_trials_other_scenes_and_nameless_policies_are_named(trials, write):
    records = trials()
    records[4] = {**records[4], "cell": {"base_height_m": 0.4, "x_position_m": 9.0}}
    path = write(records[:40])
    with path.open("a") as file:
        file.write('{"task": "door", "ind')
    nameless = [{**record, "policy": None} for record in records[:2]]
    found = gather([path, write(nameless, "m.jsonl")])
    assert kinds(found) == ["incomplete", "other scene", "torn line", "unknown policy"]
    details = [d.detail for d in found.deviations]
    assert any("10 of 50 trials are missing" in detail for detail in details)
    assert any("trial 4 was not of the scene" in detail for detail in details)


def test_what_is_no_trial_or_not_scored_is_refused(trials, write):
    with pytest.raises(TheiaError, match=r"lacks task, index, stages \(line 1\)"):
        gather([write([{"a": 1}], "a.jsonl")])
    bad = trials(2)
    del bad[1]["stages"]["fully_open"]
    with pytest.raises(TheiaError, match="trial 1 has no score for fully_open"):
        gather([write(bad, "b.jsonl")])
    with pytest.raises(TheiaError, match="no task 'juggling'"):
        gather([write([{"task": "juggling", "index": 0, "stages": {}}], "c.jsonl")])


REPORT = r"""
import re, sys, time
from pathlib import Path
from theia_core.cli import main
started = time.process_time()
assert main(["report", sys.argv[1]]) == 0
# getrusage's ru_maxrss would be the test's own where that is larger: Linux keeps it over fork and exec.
(peak_kb,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
print("CPU", time.process_time() - started, "MB", int(peak_kb) / 1024)
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_hundred_thousand_trials_are_reported_in_seconds_and_little_memory(tmp_path):
    protocol = get_task("door").protocol
    path = tmp_path / "large.jsonl"
    lines = []
    for trial in protocol.trials(1000, 10_000):
        done = trial.index % 10 < 8
        record = {
            "task": "door",
            "simulated": True,
            "index": trial.index,
            "seed": trial.seed,
            "cell": trial.cell,
            "stages": {"open": True, "fully_open": done},
            "stage_steps": {"open": 20 + trial.index % 9, "fully_open": 40},
            "steps": 61,
            "failure": None if done else "the grip slipped",
            "guard_refusals": {"joint_step": 1} if trial.index % 50 == 0 else {},
            "jumps": {"seam_m": 0.01, "seam_rad": 0.02, "elsewhere_m": 0.01, "elsewhere_rad": 0.1},
            "latency": {"predict_ms": {"n": 60, "p50": 20.1, "p95": 30.2, "max": 41.7}},
            "wall_s": 1.93,
            "policy": "policy-0@0123456789ab",
            "encoder": "theia-tiny@0123456789ab",
            "execution": "receding:4",
            "protocol_hash": protocol.hash,
            "eval_seed": 1000,
            "latency_s": 0.1,
            "noise_mm": 0.0,
            "at": "2026-11-28T00:00:00+00:00",
        }
        lines.append(json.dumps(record) + "\n")
    text = "".join(lines)
    path.write_text("".join(text.replace("policy-0", f"policy-{policy}") for policy in range(10)))
    done = subprocess.run(
        [sys.executable, "-c", REPORT, str(path)], capture_output=True, text=True, timeout=800
    )
    assert done.returncode == 0, done.stderr
    _, cpu_s, _, memory_mb = done.stdout.splitlines()[-1].split()
    assert float(cpu_s) < 10
    assert float(memory_mb) < 500
    assert "8000/10000" in done.stdout
