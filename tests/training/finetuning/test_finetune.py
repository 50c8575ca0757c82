"""Continued distillation on robot frames, with its control, its card and its verdict."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from theia_core.cli import load_command, main, registered_commands
from theia_core.encoders import load_encoder
from theia_core.encoders.theia import TheiaModel
from theia_core.encoders.theia_checkpoint import save_theia_checkpoint
from theia_core.encoders.theia_variants import TheiaVariant
from theia_core.episodes import EpisodeRecorder
from theia_core.episodes.topics import OBSERVED_JOINTS
from theia_core.errors import TheiaError
from theia_training import export_theia
from theia_training.finetuning.config import FinetuneConfig
from theia_training.finetuning.continued import CONTINUED, CONTROL, Comparison, compare, distil, verdict
from theia_training.finetuning.outcome import RESULT, analysis_arguments, write_outcome
from theia_training.finetuning.robot_features import robot_store


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """An untrained tiny Theia without translators, in the layout of the released checkpoints."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("start")
    save_theia_checkpoint(TheiaModel(TheiaVariant("theia-tiny", "tiny", {}, 0, "sub_pixel")), folder)
    return folder


@pytest.fixture
def bags(tmp_path):
    """Four episodes of coloured kitchens."""
    folder, random = tmp_path / "bags", np.random.default_rng(3)
    folder.mkdir()
    for index in range(4):
        recorder = EpisodeRecorder(folder / f"{index}.mcap", {"task": "door"})
        for step in range(6):
            coarse = random.integers(0, 256, (3, 4, 3), dtype=np.uint8)
            recorder.image(0.2 * step, np.kron(coarse, np.ones((16, 16, 1), np.uint8)))
            recorder.joints(0.2 * step, OBSERVED_JOINTS, np.zeros(7))
            recorder.action(0.2 * step, np.full(7, 0.01), "kim")
        recorder.close(success=True)
    return folder


@pytest.fixture
def config(start, bags, feature_store, tmp_path):
    return FinetuneConfig(
        encoder=str(start),
        bags=(bags,),
        general=(str(feature_store),),
        out=tmp_path / "ft",
        robot_share=0.6,
        held_out=0.5,
        epochs=3,
        batch_size=4,
        learning_rate=1e-3,
        backbone_scale=1.0,
        translators_first=0.0,
        threads=1,
    )


@pytest.fixture
def teachers(pooled_colours):
    made = {
        "colours": pooled_colours(has_cls=True),
        "greys": pooled_colours("greys", channels=2, grid=14, seed=1, has_cls=True),
    }
    return lambda name, threads: made[name]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_robot_frames_are_predicted_better_and_the_result_is_an_encoder_with_its_card(
    config, teachers, monkeypatch, capsys
):
    monkeypatch.setattr(export_theia, "BATCHES", (1,))
    store = robot_store(config, teachers)
    held_out = {entry.source for _, entry in store.entries if entry.split == "held_out"}
    assert held_out and not held_out & {e.source for _, e in store.entries if e.split == "train"}
    rows = []
    control = distil(config, CONTROL, lambda row, updates: rows.append(updates))
    continued = distil(config, CONTINUED, lambda row, updates: rows.append(updates))
    assert control["updates"] == continued["updates"] == rows[-1]
    comparisons = compare(control, continued)
    assert comparisons["robot"].images == sum(e.split == "held_out" for _, e in store.entries)
    assert comparisons["robot"].change < 0
    # a finished run is taken over, not trained again
    assert distil(config, CONTROL, lambda *_: pytest.fail("trained again"))["updates"] == control["updates"]

    good, lines = write_outcome(config, control, continued)
    result = json.loads((config.out / RESULT).read_text())
    assert result["good"] is good
    assert result["held_out"]["robot"]["after"] < result["held_out"]["robot"]["before"]
    encoder = load_encoder(config.out / "encoder", threads=1)
    assert encoder.encode(np.zeros((48, 64, 3), np.uint8)).shape == (1, 196, 192)
    card = (config.out / "encoder" / "README.md").read_text()
    assert "| robot |" in card and "| general |" in card and lines[0].split(":")[0]
    assert result["encoder"] == encoder.encoder_id
    # the page's encoders are those of the two runs, and both predict the teachers
    options = _parsed(analysis_arguments(config))
    folders = [Path(text.partition("=")[2]) for text in options.encoder]
    assert [load_encoder(folder).runtime.teachers for folder in folders] == [("colours", "greys")] * 2


def _parsed(words):
    parser = argparse.ArgumentParser()
    load_command(registered_commands()[words[0]]).configure(parser)
    return parser.parse_args(words[1:])


def test_the_verdict_is_honest_either_way():
    def judged(robot, general):
        return verdict({"robot": Comparison(9, 1.0, robot), "general": Comparison(9, 1.0, general)})

    assert judged(0.9, 1.04)[0]
    good, lines = judged(1.01, 0.9)
    assert not good and "keep the encoder that you had" in lines[-1]
    good, lines = judged(0.5, 1.06)
    assert not good and "rose by more than 5 %" in lines[-1]
    assert "0.5000 after (-50.0 %)" in lines[0]


def test_other_teachers_than_the_general_sets_are_refused(config, pooled_colours):
    with pytest.raises(TheiaError, match="colours has other weights"):
        robot_store(config, lambda name, threads: pooled_colours(name, seed=9))


def test_the_wanted_share_decides_which_frames_are_taken(config, teachers):
    from dataclasses import replace

    few = replace(config, robot_share=0.2, out=config.out / "few", held_out=0.4)
    # 24 robot frames, 16 general samples: a fifth of all is 4 frames, every sixth
    assert len(robot_store(few, teachers)) == 4


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "--general is missing"),
        (["--general", "{bags}"], "--general with images needs --teachers"),
        (["--with-policy", "door", "--general", "x"], "--with-policy distils nothing"),
        (["--with-policy", "door", "--robot-share", "0.3"], "--robot-share is about distillation"),
        (["--general", "{store}", "--encoder", "efficientnet-lite2-s16"], "is no Theia encoder"),
        (["--general", "{store}", "--robot-share", "1.5"], "robot_share is 1.5"),
        (["--general", "{store}", "--teacher", "colours"], "--teacher 'colours' has no '='"),
    ],
)
def test_bad_arguments_end_with_one_sentence(bags, feature_store, tmp_path, capsys, words, complaint):
    given = [word.format(bags=bags, store=feature_store) for word in words]
    assert main(["finetune", "--bags", str(bags), "--out", str(tmp_path / "ft"), *given]) == 2
    assert complaint in capsys.readouterr().err
