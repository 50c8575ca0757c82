"""A saved model is a checkpoint in the released layout, whatever its teachers, and loads back to the bit."""

import json
import os

import numpy as np
import pytest

# ruff: noqa: E402
torch = pytest.importorskip("torch")

from theia_core.encoders import load_encoder
from theia_core.encoders.feature_size import FeatureSize
from theia_core.encoders.theia import TheiaModel
from theia_core.encoders.theia_checkpoint import load_theia_model, save_theia_checkpoint
from theia_core.encoders.theia_variants import TheiaVariant, variant_of_config
from theia_core.errors import TheiaError

TEACHERS = {"some/teacher": FeatureSize(24, 7, 7), "xfeat": FeatureSize(8, 28, 28)}
FRAME = np.random.default_rng(0).integers(0, 256, (100, 140, 3), dtype=np.uint8)


def untrained(seed=0, **changes):
    torch.manual_seed(seed)
    return TheiaModel(TheiaVariant(**{"name": "mine", "size": "tiny", "targets": TEACHERS, **changes})).eval()


@pytest.mark.parametrize("translator", ["lconv", "linear", "sub_pixel"])
@pytest.mark.parametrize("registers", [0, 1, 4, 8])
def test_any_teachers_registers_and_translator_load_back(tmp_path, registers, translator):
    model = untrained(registers=registers, translator=translator)
    save_theia_checkpoint(model, tmp_path / "folder")
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == [
        "config.json",
        "model.safetensors",
    ]
    variant = variant_of_config(tmp_path / "folder" / "config.json")
    assert variant == model.variant
    loaded = load_theia_model(tmp_path / "folder" / "model.safetensors", variant)
    state = loaded.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    encoder = load_encoder(tmp_path / "folder", threads=1)
    assert encoder.encoder_id.startswith("mine@")
    assert encoder.encode(FRAME, reduce="all").shape == (1, 1 + registers + 196, 192)
    assert encoder.encode(FRAME).shape == (1, 196, 192)
    shapes = {teacher: features.shape for teacher, features in encoder.translate(FRAME).items()}
    assert shapes == {"some/teacher": (1, 49, 24), "xfeat": (1, 784, 8)}


def test_the_config_has_the_released_entries(tmp_path):
    save_theia_checkpoint(untrained(registers=4), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config == {
        "name": "mine",
        "backbone": "facebook/deit-tiny-patch16-224",
        "image_size": 224,
        "num_reg_tokens": 4,
        "target_feature_sizes": {"some/teacher": [24, 7, 7], "xfeat": [8, 28, 28]},
        "translator_type": "lconv",
        "translator_hidden_size_factor": 1.0,
        "feature_reduce_method": None,
    }


def test_reductions_skip_the_registers(tmp_path):
    save_theia_checkpoint(untrained(registers=4, targets={}), tmp_path)
    encoder = load_encoder(tmp_path, threads=1)
    everything = encoder.encode(FRAME, reduce="all")
    np.testing.assert_array_equal(encoder.encode(FRAME), everything[:, 5:])
    np.testing.assert_array_equal(encoder.encode(FRAME, reduce="cls"), everything[:, 0])
    np.testing.assert_allclose(encoder.encode(FRAME, reduce="mean"), everything[:, 5:].mean(1), atol=1e-6)
    np.testing.assert_array_equal(encoder.encode(FRAME, reduce="max"), everything[:, 5:].max(1))
    for size in (16, 112, 240, 448):
        grid = (size // 16) ** 2
        assert encoder.at_resolution(size).encode(FRAME).shape == (1, grid, 192)


def test_half_precision_halves_the_file(tmp_path):
    model = untrained(targets={})
    save_theia_checkpoint(model, tmp_path / "full")
    save_theia_checkpoint(model, tmp_path / "half", torch.float16)
    full, half = ((tmp_path / name / "model.safetensors").stat().st_size for name in ("full", "half"))
    assert half < 0.51 * full
    close = load_encoder(tmp_path / "half", threads=1).encode(FRAME)
    assert 0 < np.abs(close - load_encoder(tmp_path / "full", threads=1).encode(FRAME)).max() < 0.05


def test_a_write_that_fails_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    save_theia_checkpoint(untrained(0, targets={}), tmp_path)
    before = (tmp_path / "model.safetensors").read_bytes()

    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(TheiaError, match="No space left"):
        save_theia_checkpoint(untrained(1, targets={}), tmp_path)
    assert (tmp_path / "model.safetensors").read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["config.json", "model.safetensors"]


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    model = untrained(targets={})
    with torch.no_grad():
        model.backbone.model.layernorm.bias[3] = torch.nan
    with pytest.raises(TheiaError, match=r"backbone\.model\.layernorm\.bias"):
        save_theia_checkpoint(model, tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"size": "huge"}, "unknown size 'huge'"),
        ({"registers": -1}, "registers is -1"),
        ({"translator": "mlp"}, "unknown translator type 'mlp'"),
        ({"targets": {"a.b": FeatureSize(1, 1, 1)}}, r"cannot be called 'a\.b'"),
    ],
)
def test_an_impossible_variant_is_refused(changes, complaint):
    with pytest.raises(TheiaError, match=complaint):
        TheiaVariant(**{"name": "x", "size": "tiny", "targets": {}, **changes})
