import json
import re

import pytest

from theia_core.errors import TheiaError
from theia_core.evaluation import clopper_pearson, side_by_side_table, stage_table, summarise
from theia_core.tasks import get_task

DOOR = get_task("door")
MICROWAVE = get_task("microwave")


def test_the_result_has_the_documented_form_and_is_json(trials):
    records = trials()
    records[3]["latency_ms"] = {"frame_to_chunk": [100.0, 110.0]}
    records[4]["latency_ms"] = {"frame_to_chunk": [120.0]}
    result = json.loads(json.dumps(summarise(records[::-1], task=DOOR, seed=1000)))
    assert {key: result[key] for key in ("task", "policy", "encoder", "seed", "simulated")} == {
        "task": "door",
        "policy": "door-bc@0123",
        "encoder": "lite@4567",
        "seed": 1000,
        "simulated": True,
    }
    assert result["protocol_hash"] == DOOR.protocol.hash
    assert list(result["stages"]) == ["open", "fully_open"]
    assert result["stages"]["fully_open"] == {
        "successes": 45,
        "trials": 50,
        "ci95": list(clopper_pearson(45, 50)),
    }
    # 47 opened the door, all 45 that opened it fully among them
    assert result["conditional"] == {
        "fully_open": {"successes": 45, "trials": 47, "ci95": list(clopper_pearson(45, 47))}
    }
    assert [trial["index"] for trial in result["trials"]] == list(range(50))
    assert result["trials"][0]["guard_refusals"] == {"joint_step": 1}
    assert {"seed", "stages", "steps", "guard_refusals"} <= set(result["trials"][49])
    assert result["guard_refusals"] == {"joint_step": 1}
    assert result["latency_ms"]["frame_to_chunk"] == {"n": 3, "p50": 110.0, "p95": 119.0, "max": 120.0}


def test_executions_are_named_and_not_mixed(trials):
    jumps = [{"seam_m": metres, "elsewhere_m": None} for metres in (0.01, 0.03, 0.02)]
    records = [r | {"jumps": jump} for r, jump in zip(trials(3, execution="receding:4"), jumps, strict=True)]
    result = summarise(records, task=DOOR, seed=1000)
    assert result["execution"] == "receding:4"
    assert result["jumps"] == {"seam_m": {"median": 0.02, "max": 0.03}}
    assert "execution" not in summarise(trials(3), task=DOOR, seed=1000)
    records[0]["execution"] = "ensemble:0.1"
    with pytest.raises(TheiaError, match=r"not of one execution: 'ensemble:0\.1' and 'receding:4'"):
        summarise(records, task=DOOR, seed=1000)


def test_trials_of_different_policies_are_not_mixed(trials):
    records = [*trials(5), *trials(5, policy="other@89ab")]
    with pytest.raises(TheiaError, match=r"not of one policy: 'door-bc@0123' and 'other@89ab'"):
        summarise(records, task=DOOR, seed=1000)


def test_a_trial_that_is_there_twice_is_named(trials):
    records = trials(5)
    with pytest.raises(TheiaError, match="trial 2 is in the records 2 times"):
        summarise([*records, records[2]], task=DOOR, seed=1000)


def test_a_stage_without_a_score_is_named(trials):
    records = trials(5)
    del records[1]["stages"]["fully_open"]
    with pytest.raises(TheiaError, match="trial 1 has no score for fully_open"):
        summarise(records, task=DOOR, seed=1000)


def test_no_trials_are_no_result():
    with pytest.raises(TheiaError, match="no trials of door"):
        summarise([], task=DOOR, seed=1000)


def test_the_table_shows_counts_rates_and_intervals_beside_the_papers(trials):
    table = stage_table(trials(), task=DOOR).splitlines()
    assert table[0].split("  ")[0] == "stage"
    assert " ".join(table[2].split()) == "open 47/50 94 % 83 to 99 % 46/50 81 to 98 %"
    assert " ".join(table[3].split()) == "fully_open 45/50 90 % 78 to 97 % 33/50 51 to 79 %"
    assert len({line.index("/50") for line in table[2:]}) == 1


def _microwave_trials():
    """The complete protocol; every food is picked, no unseen one is placed, no door is closed."""
    seen = MICROWAVE.protocol.groups["seen"].values
    return [
        {
            "task": "microwave",
            "index": trial.index,
            "cell": trial.cell,
            "stages": {"pick": True, "place": trial.cell["food"] in seen, "close_door": False},
        }
        for trial in MICROWAVE.protocol.trials(1000)
    ]


def test_groups_of_a_protocol_are_reported_apart():
    result = summarise(_microwave_trials(), task=MICROWAVE, seed=1000)
    assert result["stages"]["place"]["successes"] == 40
    placed = {name: group["place"] for name, group in result["groups"].items()}
    assert placed["seen"] == {"successes": 40, "trials": 40, "ci95": list(clopper_pearson(40, 40))}
    assert placed["unseen"] == {"successes": 0, "trials": 10, "ci95": list(clopper_pearson(0, 10))}
    table = [" ".join(line.split()) for line in stage_table(_microwave_trials(), task=MICROWAVE).splitlines()]
    assert "place 40/50 80 % 66 to 90 % 26/50 37 to 66 %" in table
    assert "place, unseen 0/10 0 % 0 to 31 % -" in table


@pytest.mark.parametrize("markdown", [False, True])
def test_groups_are_apart_in_the_table_of_several_policies_too(markdown):
    some, all_seen = _microwave_trials(), [r for r in _microwave_trials() if r["stages"]["place"]]
    table = side_by_side_table({"x": some, "y": all_seen}, task=MICROWAVE, markdown=markdown)
    lines = [
        [cell.strip() for cell in re.split(r"\||  +", line) if cell.strip()] for line in table.splitlines()
    ]
    if markdown:
        lines = list(map(list, zip(*(line for line in lines if line[0] != "---"), strict=True)))
    cells = {line[0]: line[1:] for line in lines}
    assert cells["place"] == ["40/50 (66 to 90 %)", "40/40 (91 to 100 %)"]
    assert cells["place, seen"] == ["40/40 (91 to 100 %)", "40/40 (91 to 100 %)"]
    assert cells["place, unseen"] == ["0/10 (0 to 31 %)", "-"]


def test_a_group_that_was_not_tried_is_left_out():
    records = [record for record in _microwave_trials() if record["stages"]["place"]]
    assert list(summarise(records, task=MICROWAVE, seed=1000)["groups"]) == ["seen"]
    assert "groups" not in summarise(_door_record(), task=DOOR, seed=1000)


def _door_record():
    cell = {"base_height_m": 0.4, "x_position_m": 0.0}
    return [{"task": "door", "index": 0, "cell": cell, "stages": {"open": True, "fully_open": False}}]
