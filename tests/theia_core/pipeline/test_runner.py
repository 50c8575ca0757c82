"""Stages with real commands: what is done is left out, what changed runs again, nothing is lost."""

import argparse
import json

import numpy as np
import pytest

from theia_core.cli import load_command, main, registered_commands
from theia_core.episodes import EpisodeRecorder
from theia_core.episodes.topics import OBSERVED_JOINTS
from theia_core.errors import TheiaError
from theia_core.pipeline.policy_pipeline import PipelineOptions, policy_pipeline
from theia_core.pipeline.runner import RECORD, run_pipeline
from theia_core.pipeline.stage import Stage, content_hash


def record(path, seed=0):
    recorder = EpisodeRecorder(path, {"task": "door", "seed": seed})
    for step in range(12):
        recorder.image(0.2 * step, np.full((48, 64, 3), 40 + 10 * step, np.uint8))
        recorder.joints(0.2 * step, OBSERVED_JOINTS, np.zeros(7))
        recorder.action(0.2 * step, np.full(7, 0.01), "kim")
    recorder.close(success=True)


@pytest.fixture
def stages(tmp_path):
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    for seed in range(3):
        record(data / f"{seed}.mcap", seed)
    report, parts = out / "check.json", out / "parts"
    return [
        Stage("check", ("episodes", "check", str(data), "--json"), (data,), (report,), stdout=report),
        Stage("split", ("episodes", "split", str(data), "--out", str(parts)), (data,), (parts,)),
    ]


def run(stages, tmp_path):
    said = []
    run_pipeline(stages, tmp_path / "out", said.append)
    return said


def test_done_stages_are_left_out_and_changed_data_runs_again(stages, tmp_path):
    said = run(stages, tmp_path)
    assert [line.partition(": ")[0] for line in said] == ["[1/2] check", "[2/2] split"]
    assert json.loads((tmp_path / "out/check.json").read_text())["unfit"] == 0
    record_file = json.loads((tmp_path / "out" / RECORD).read_text())["stages"]
    assert record_file["split"]["inputs"] == {str(tmp_path / "data"): content_hash(tmp_path / "data")}
    assert record_file["split"]["code"] == 0
    assert record_file["check"]["software"]["theia"]

    assert run(stages, tmp_path) == ["[1/2] check: done already", "[2/2] split: done already"]

    record(tmp_path / "data/3.mcap", 3)
    said = run(stages, tmp_path)
    assert sum("moved to" in line for line in said) == 2
    assert json.loads((tmp_path / "out/check.json").read_text())["episodes"] == 4
    moved = list((tmp_path / "out/.outdated").glob("*/check.json"))
    assert json.loads(moved[0].read_text())["episodes"] == 3


def test_an_output_that_was_touched_is_made_again(stages, tmp_path):
    run(stages[:1], tmp_path)
    (tmp_path / "out/check.json").write_text("{}")
    assert run(stages[:1], tmp_path)[0].startswith("[1/1] check: theia episodes check")
    assert json.loads((tmp_path / "out/check.json").read_text())["episodes"] == 3


def test_a_stage_that_fails_stops_the_pipeline_and_runs_again_later(stages, tmp_path, capfd):
    bad = tmp_path / "data/bad.mcap"
    bad.write_bytes(b"no mcap")
    with pytest.raises(TheiaError, match="stage check ended with exit code 1"):
        run(stages, tmp_path)
    assert not (tmp_path / "out/parts").exists()
    bad.unlink()
    assert len(run(stages, tmp_path)) >= 2
    assert (tmp_path / "out/parts/train").is_dir()


def test_an_absent_input_and_a_damaged_record_are_named(stages, tmp_path):
    absent = Stage("train", ("episodes", "list", "x"), (tmp_path / "nowhere",), ())
    with pytest.raises(TheiaError, match=r"stage train needs .*nowhere"):
        run([absent], tmp_path)
    (tmp_path / "out" / RECORD).write_text("{")
    with pytest.raises(TheiaError, match="is damaged"):
        run(stages, tmp_path)


def test_only_a_run_that_has_begun_is_resumed(tmp_path):
    stage = Stage("train", ("train", "door"), (), (), resume_if=tmp_path / "checkpoint")
    assert stage.words == ("train", "door")
    (tmp_path / "checkpoint").touch()
    assert stage.words == ("train", "door", "--resume")


def test_hidden_files_and_caches_are_no_part_of_a_folder(tmp_path):
    (tmp_path / "a").write_text("1")
    before = content_hash(tmp_path)
    (tmp_path / ".token-cache").mkdir()
    (tmp_path / ".token-cache" / "x").write_text("2")
    assert content_hash(tmp_path) == before
    (tmp_path / "b").write_text("2")
    assert content_hash(tmp_path) != before


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("given", [{}, {"general": ("photos",), "teachers": ("xfeat",)}])
def test_every_command_of_the_pipeline_is_one_that_its_parser_takes(tmp_path, small, given):
    data = {} if small else {"data": (tmp_path / "mine",)}
    options = PipelineOptions("door", tmp_path, small=small, **given, **data)
    commands = registered_commands()
    stages = policy_pipeline(options, commands)
    names = [stage.name for stage in stages]
    expected = ["collect"] * small + ["check"] + ["general"] * (not given) + ["finetune", "train_before"]
    assert names[: len(expected)] == expected
    assert names[-1] == "evaluate"
    for stage in stages:
        parser = argparse.ArgumentParser(prog=stage.command[0])
        load_command(commands[stage.command[0]]).configure(parser)
        parser.parse_args(stage.command[1:])
    made = set()
    for stage in stages:  # each stage's inputs are given, or made before it
        for path in stage.inputs:
            assert path == tmp_path / "mine" or made & {path, *path.parents}, stage
        made |= set(stage.outputs)


def test_the_plan_can_be_printed(tmp_path, capsys):
    assert main(["pipeline", "door", "--small", "--out", str(tmp_path / "run"), "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "collect: theia collect door --episodes" in out
    assert "evaluate: theia eval door --policy" in out
    assert not (tmp_path / "run").exists()
