"""The distillation loop on a small feature store: resumption, accumulation, ranks, refusals."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from theia_core.encoders import load_encoder
from theia_core.encoders.theia import TheiaModel
from theia_core.encoders.theia_checkpoint import save_theia_checkpoint
from theia_core.encoders.theia_variants import TheiaVariant
from theia_core.errors import TheiaError
from theia_training.distillation.config import DistillConfig, LossConfig, OptimiserConfig, StudentConfig
from theia_training.distillation.feed import FeatureSet
from theia_training.distillation.trainer import Trainer
from theia_training.features.ranks import Ranks

ALONE = Ranks(0, 1)


@pytest.fixture
def config(feature_store, tmp_path):
    return DistillConfig(
        features=(str(feature_store),),
        out=str(tmp_path / "run"),
        epochs=2,
        batch_size=2,
        log_every=1,
        validate_every=3,
        optimiser=OptimiserConfig(learning_rate=1e-3, reference_batch=2),
    )


@pytest.fixture(autouse=True)
def deterministic():
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


def make(config, **changes):
    trainer = Trainer(replace(config, **changes), ALONE)
    trainer.out.mkdir(parents=True, exist_ok=True)
    return trainer


def losses(trainer):
    return [{name: value for name, value in row.items() if name.startswith("loss")} for row in trainer.rows]


def test_an_interrupted_run_goes_on_to_the_same_bits(config, tmp_path):
    whole = make(config)
    whole.fit()
    assert whole.updates == len(whole.rows) >= 6

    def pull_the_plug(row):
        if row["update"] == 4:
            raise KeyboardInterrupt

    cut = make(config, out=str(tmp_path / "cut"), checkpoint_every_s=0)
    with pytest.raises(KeyboardInterrupt):
        cut.fit(pull_the_plug)
    resumed = make(config, out=str(tmp_path / "cut"))
    assert resumed.resume()
    assert resumed.update == 3  # the fourth update was done and lost: its checkpoint came later
    resumed.fit()
    assert losses(resumed) == losses(whole)
    for name, value in whole.student.state_dict().items():
        assert torch.equal(value, resumed.student.state_dict()[name]), name
    assert [row["loss"] for row in resumed.validations] == [row["loss"] for row in whole.validations]


def test_the_student_learns(config):
    trainer = make(config, epochs=12, validate_every=10)
    trainer.fit()
    first = np.mean([row["loss"] for row in trainer.rows[:5]])
    last = np.mean([row["loss"] for row in trainer.rows[-5:]])
    assert last < 0.7 * first
    assert trainer.validations[-1]["cosine_colours"] > trainer.validations[0]["cosine_colours"]


def test_a_run_of_other_settings_is_not_resumed(config):
    make(config).save()
    with pytest.raises(TheiaError, match="choose another out"):
        make(config, seed=1).resume()


def test_accumulated_gradients_equal_those_of_one_batch(config, tmp_path):
    # two accumulated batches of two against one batch of four: their order differs, the set does not
    def gradients(batch_size, accumulate):
        trainer = make(config, batch_size=batch_size, accumulate=accumulate)
        trainer.optimiser.step = lambda: None
        trainer.optimiser.zero_grad = lambda: None
        trainer._timed_update(trainer._batches())
        return {name: p.grad.clone() for name, p in trainer.student.named_parameters()}

    whole, parts = gradients(4, 1), gradients(2, 2)
    for name, gradient in whole.items():
        torch.testing.assert_close(parts[name], gradient, rtol=1e-3, atol=1e-6)


def test_a_loss_that_is_not_finite_stops_and_names_its_batch(config):
    trainer = make(config)
    with torch.no_grad():
        next(trainer.student.theia.translator.parameters()).fill_(float("nan"))
    before = trainer.student.theia.backbone.model.layernorm.weight.clone()
    with pytest.raises(TheiaError, match="the loss became nan at update 0"):
        trainer.fit()
    saved = json.loads((trainer.out / "not_finite_update_0_rank_0.json").read_text())
    assert len(saved["keys"]) == 2 and all(key.startswith("pictures/") for key in saved["keys"])
    assert torch.equal(before, trainer.student.theia.backbone.model.layernorm.weight)
    assert not (trainer.out / "checkpoint.safetensors").exists()


def test_broken_gradients_stop_the_run_before_the_weights_change(config):
    trainer = make(config)
    weights = trainer.student.theia.backbone.model.layernorm.weight
    weights.register_hook(lambda gradient: gradient * float("nan"))
    before = weights.detach().clone()
    with pytest.raises(TheiaError, match="the gradient norm became nan at update 0"):
        trainer.fit()
    assert torch.equal(before, weights.detach())


def test_a_frozen_backbone_stays_as_it_was(config):
    trainer = make(config, student=StudentConfig(freeze_backbone=True), epochs=1)
    before = {n: p.clone() for n, p in trainer.student.theia.backbone.named_parameters()}
    heads = next(trainer.student.theia.translator.parameters()).clone()
    trainer.fit()
    assert all(torch.equal(p, before[n]) for n, p in trainer.student.theia.backbone.named_parameters())
    assert not torch.equal(heads, next(trainer.student.theia.translator.parameters()))
    again = make(config, student=StudentConfig(freeze_backbone=True), epochs=1)
    assert again.resume()


def test_translators_may_learn_first(config, tmp_path):
    first = StudentConfig(translators_first=3)
    whole = make(config, student=first)
    backbone = {n: p.clone() for n, p in whole.student.theia.backbone.named_parameters()}
    batches = whole._batches()
    for _ in range(3):
        whole._timed_update(batches)
    assert all(torch.equal(p, backbone[n]) for n, p in whole.student.theia.backbone.named_parameters())
    whole.save()
    resumed = make(config, student=first)
    assert resumed.resume()
    whole._timed_update(batches)
    resumed._timed_update(resumed._batches())
    now = dict(resumed.student.theia.backbone.named_parameters())
    assert any(not torch.equal(p, backbone[n]) for n, p in now.items())
    assert all(torch.equal(p, now[n]) for n, p in whole.student.theia.backbone.named_parameters())


def test_the_backbone_may_learn_more_slowly(config):
    trainer = make(config, optimiser=replace(config.optimiser, backbone_scale=0.25, warmup_share=0.0))
    trainer._timed_update(trainer._batches())
    rates = {group["scale"]: group["lr"] for group in trainer.optimiser.param_groups}
    assert rates[0.25] == 0.25 * rates[1.0]


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": LossConfig("mse")},
        {"loss": LossConfig(distil_cls=True)},
        {"student": StudentConfig(translator="linear")},
        {"student": StudentConfig(registers=4)},
        {"precision": "bf16"},
    ],
    ids=["mse", "cls", "linear", "registers", "bf16"],
)
def test_ablations_take_a_step(config, changes):
    trainer = make(config, **changes)
    batches = trainer._batches()
    before = trainer.student.theia.backbone.model.embeddings.cls_token.clone()
    for _ in range(2):
        trainer._timed_update(batches)
    row = trainer._row()
    assert np.isfinite(row["loss"])
    assert not torch.equal(before, trainer.student.theia.backbone.model.embeddings.cls_token)
    assert ("loss_colours.cls" in row) == (trainer.config.loss.distil_cls)


def test_the_step_spends_its_time_in_the_model(config):
    trainer = make(config, epochs=3)
    trainer.fit()
    rows = trainer.rows[2:]
    assert np.mean([row["model_share"] for row in rows]) > 0.85


def test_a_store_for_evaluation_only_joins_the_held_out_samples(
    feature_store, tmp_path, image_folder, pooled_colours
):
    from theia_training.features.extract import ExtractConfig, Extraction, items_of
    from theia_training.sources import open_source

    other = ExtractConfig(tmp_path / "evaluation", shard_size=4, held_out=1)
    teachers = [pooled_colours(has_cls=True), pooled_colours("greys", 2, 14, 1, has_cls=True)]
    Extraction(items_of([open_source(image_folder)]), teachers, other).run()
    alone, both = FeatureSet((str(feature_store),)), FeatureSet((str(feature_store), str(other.out)))
    assert list(both.train) == list(alone.train)
    assert len(both.held_out_of(str(other.out))) == 16
    assert len(both.held_out_of(str(feature_store))) == len(alone.held_out) > 0
    assert torch.equal(both.normalisers["colours"][0], alone.normalisers["colours"][0])


def test_some_of_the_teachers_of_a_store_can_be_left_out(config, feature_store):
    trainer = make(config, teachers=("colours",))
    assert [teacher.name for teacher in trainer.features.teachers] == ["colours"]
    assert set(trainer.features.batch(trainer.features.train[:2]).targets) == {"colours"}
    assert list(trainer.identity()["teachers"]) == ["colours"]
    with pytest.raises(TheiaError, match=r"has no features of blues, but of colours@"):
        FeatureSet((str(feature_store),), teachers=("blues",))


def test_the_order_of_an_epoch_holds_every_training_sample_once(feature_store):
    features = FeatureSet((str(feature_store),))
    first = features.order(0, 0, window=2)
    assert sorted(first) == sorted(features.train)
    assert list(first) == list(features.order(0, 0, window=2))
    assert list(first) != list(features.order(0, 1, window=2))


def test_stores_of_other_teachers_do_not_mix(feature_store, tmp_path, image_folder, pooled_colours):
    from theia_training.features.extract import ExtractConfig, Extraction, items_of
    from theia_training.sources import open_source

    other = ExtractConfig(tmp_path / "other", shard_size=4, held_out=0.5)
    Extraction(items_of([open_source(image_folder)]), [pooled_colours(seed=4)], other).run()
    with pytest.raises(TheiaError, match="stores must be of the same teachers with the same weights"):
        FeatureSet((str(feature_store), str(other.out)))


def write_config(path, feature_store, out, **options):
    lines = [
        f"features: [{feature_store}]",
        f"out: {out}",
        "epochs: 2",
        "log_every: 1",
        "validate_every: 100",
    ]
    path.write_text("\n".join([*lines, *(f"{name}: {value}" for name, value in options.items())]) + "\n")
    return path


def torchrun(ranks, *arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
    result = subprocess.run(
        [*command, "-m", "theia_core.cli", *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout


@pytest.mark.slow
def test_two_ranks_learn_what_one_rank_learns(feature_store, tmp_path):
    one = write_config(tmp_path / "one.yaml", feature_store, tmp_path / "one", batch_size=4, threads=1)
    two = write_config(tmp_path / "two.yaml", feature_store, tmp_path / "two", batch_size=2, threads=1)
    torchrun(1, "distill", "--config", one)
    printed = torchrun(2, "distill", "--config", two, "--resume")
    assert "on 2 ranks" in printed
    table = {
        name: np.genfromtxt(tmp_path / name / "train.csv", delimiter=",", names=True)
        for name in ("one", "two")
    }
    assert len(table["one"]) == len(table["two"]) >= 4
    np.testing.assert_allclose(table["one"]["loss"], table["two"]["loss"], rtol=2e-4)


@pytest.mark.slow
def test_the_command_leaves_an_encoder_curves_and_a_record(feature_store, tmp_path, capsys):
    from theia_core.cli import main

    config = write_config(tmp_path / "c.yaml", feature_store, tmp_path / "run", batch_size=4)
    assert main(["distill", "--config", str(config), "--json", str(tmp_path / "run.json")]) == 0
    assert "  cosine_colours: " in capsys.readouterr().out
    folder = tmp_path / "run"
    assert {"train.csv", "held_out.csv", "curves.png", "tensorboard", "encoder"} <= {
        p.name for p in folder.iterdir()
    }
    encoder = load_encoder(folder / "encoder", runtime="torch")
    frame = np.zeros((1, 60, 80, 3), np.uint8)
    assert encoder.encode(frame).shape == (1, 196, 192)
    assert {name: f.shape for name, f in encoder.translate(frame).items()} == {
        "colours": (1, 49, 4),
        "greys": (1, 196, 2),
    }
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["profile"]["model_share"] > 0.5
    assert main(["distill", "--config", str(config)]) == 2
    assert "already holds a run" in capsys.readouterr().err


def test_bf16_on_a_cpu_without_it_is_called_slow(feature_store, tmp_path, capsys, monkeypatch):
    from theia_core.cli import main

    monkeypatch.setattr("theia_training.precision.cpu_has_bf16", lambda: False)
    config = write_config(
        tmp_path / "c.yaml", feature_store, tmp_path / "run", batch_size=4, precision="bf16"
    )
    assert main(["distill", "--config", str(config), "--set", "epochs=1"]) == 0
    assert "--set precision=fp32" in capsys.readouterr().err


@pytest.mark.slow
def test_two_ranks_extract_one_store(tmp_path, image_folder):
    options = ["--teachers", "efficientnet-lite2-s16", "--shard-size", 4, "--out", tmp_path / "two"]
    printed = torchrun(2, "features", "--images", image_folder, *options)
    assert "16 samples" in printed
    from theia_training.features.check import check_store

    assert check_store(Path(tmp_path / "two")) == []


def test_a_run_that_starts_from_an_encoder_begins_where_that_one_ended(config, tmp_path):
    first = make(config)
    first.fit()
    folder = tmp_path / "encoder"
    save_theia_checkpoint(first.average.theia, folder)
    second = make(
        config, out=str(tmp_path / "second"), seed=5, student=replace(config.student, start=str(folder))
    )
    started = second.student.theia.state_dict()
    for name, value in first.average.theia.state_dict().items():
        torch.testing.assert_close(started[name], value, rtol=0, atol=0)


def test_an_encoder_of_another_size_or_without_description_is_no_start(config, tmp_path):
    with pytest.raises(TheiaError, match="holds no config"):
        make(config, student=replace(config.student, start=str(tmp_path)))
    save_theia_checkpoint(TheiaModel(TheiaVariant("other", "tiny", {}, registers=2)), tmp_path / "other")
    with pytest.raises(TheiaError, match="with 2 registers, not tiny with 0"):
        make(config, student=replace(config.student, start=str(tmp_path / "other")))


def test_a_teacher_that_the_start_did_not_have_gets_a_translator_of_its_own(config, tmp_path):
    save_theia_checkpoint(TheiaModel(TheiaVariant("other", "tiny", {})), tmp_path / "other")
    student = make(config, student=replace(config.student, start=str(tmp_path / "other"))).student
    assert set(student.theia.translator.translator_heads) == {"colours", "greys"}
