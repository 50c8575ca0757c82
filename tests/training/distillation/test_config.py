"""Configs are strict, and the shipped ones hold the paper's values."""

from pathlib import Path

import pytest

from theia_core.errors import TheiaError
from theia_training.distillation.config import OptimiserConfig, read_config
from theia_training.distillation.schedule import learning_rate

CONFIGS = Path(__file__).parents[3] / "training" / "configs"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("theia_*.yaml")), ids=lambda path: path.stem)
def test_shipped_configs_are_valid(path):
    assert read_config(path).features


def test_the_imagenet_config_is_table_5():
    config = read_config(CONFIGS / "theia_base_imagenet.yaml")
    assert (config.epochs, config.batch_size, config.optimiser.learning_rate) == (50, 16, 5e-4)
    assert config.optimiser.betas == (0.9, 0.999) and config.optimiser.weight_decay == 0.01
    assert config.optimiser.clip_norm is None and config.optimiser.schedule == "constant"
    assert config.optimiser.warmup_share * config.epochs == 5
    assert (config.loss.kind, config.loss.beta) == ("cosine_l1", 0.9)


def test_options_can_be_replaced_by_dotted_names(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("features: [a]\nout: b\n")
    config = read_config(path, {"student.size": "small", "optimiser.learning_rate": "1e-3", "epochs": "3"})
    assert (config.student.size, config.optimiser.learning_rate, config.epochs) == ("small", 1e-3, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("features: [a]\nout: b\nepoch: 3\n", "has no option epoch; there are accumulate"),
        ("features: [a]\nout: b\nstudent: {width: 3}\n", "student has no option width"),
        ("features: [a]\nout: b\nepochs: many\n", "give a value of type int"),
        ("features: [a]\nout: b\nepochs: 0\n", "epochs is 0"),
        ("features: [a]\n", "is incomplete"),
        ("[1]", "is no mapping"),
        ("features: a\nout: b\n", "features is 'a'; give a value of type"),
        ("features: [a]\nout: b\noptimiser: {clip_norm: tight}\n", "clip_norm is 'tight'; give a number"),
        ("features: [a]\nout: b\noptimiser: {betas: [0.9]}\n", "betas are"),
        ("features: [a]\nout: b\nloss: {kind: huber}\n", "unknown loss 'huber'"),
        ("features: [a]\nout: b\nstudent: {deit: x, select_from: y}\n", "starts from one"),
        ("features: [a]\nout: b\nstudent: {deit: x, start: y}\n", "student.deit and student.start"),
    ],
)
def test_mistakes_are_named(tmp_path, text, message):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(TheiaError, match=message):
        read_config(path)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("epochs.x", "1", "epochs is one value"),
        ("epochs", "[1", "is no valid YAML"),
        ("loss.beta", "2", "beta is 2"),
    ],
)
def test_mistakes_on_the_command_line_are_named(tmp_path, name, value, message):
    path = tmp_path / "c.yaml"
    path.write_text("features: [a]\nout: b\nepochs: 3\nstudent:\n")
    assert read_config(path, {"optimiser.clip_norm": "1e-1"}).optimiser.clip_norm == 0.1
    with pytest.raises(TheiaError, match=message):
        read_config(path, {name: value})


def test_the_rate_scales_with_the_batch_and_warms_up():
    config = OptimiserConfig(learning_rate=5e-4, reference_batch=128)
    assert learning_rate(config, 500, 1000, 128) == 5e-4
    assert learning_rate(config, 500, 1000, 256) == 1e-3
    assert learning_rate(config, 0, 1000, 128) == pytest.approx(5e-6)  # 1e-2 of the peak
    assert learning_rate(config, 50, 1000, 128) == pytest.approx(5e-4 * (0.01 + 0.99 * 0.5))
    cosine = OptimiserConfig(learning_rate=1.0, reference_batch=1, schedule="cosine", warmup_share=0)
    assert learning_rate(cosine, 500, 1000, 1) == pytest.approx(0.5)
    assert learning_rate(cosine, 999, 1000, 1) < 1e-5
