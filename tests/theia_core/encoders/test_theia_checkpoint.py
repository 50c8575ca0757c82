"""Theia checkpoints load offline and strictly, or say which key does not fit."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

# ruff: noqa: E402
torch = pytest.importorskip("torch")

from safetensors.torch import load_file, save_file

from theia_core.encoders import load_encoder
from theia_core.encoders.theia_variants import RELEASED, released_variant
from theia_core.errors import TheiaError

NAME = "theia-tiny-patch16-224-cdiv"
FRAME = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def encoder(cdiv_folder):
    return load_encoder(cdiv_folder)


def test_a_folder_names_itself_by_its_config_and_its_weights_hash(encoder, cdiv_folder):
    import hashlib

    digest = hashlib.sha256((cdiv_folder / "model.safetensors").read_bytes()).hexdigest()
    assert encoder.encoder_id == f"{NAME}@{digest[:12]}"
    assert (encoder.spec.grid, encoder.spec.channels, encoder.spec.has_cls) == ((14, 14), 192, True)


def test_a_file_with_its_variant_gives_the_same_encoder(encoder, cdiv_folder, tmp_path):
    weights = shutil.copy(cdiv_folder / "model.safetensors", tmp_path / "tiny.safetensors")
    other = load_encoder(weights, variant=NAME)
    assert other.encoder_id == encoder.encoder_id
    np.testing.assert_array_equal(other.encode(FRAME), encoder.encode(FRAME))
    with pytest.raises(TheiaError, match="nothing says which architecture"):
        load_encoder(weights)
    with pytest.raises(TheiaError, match=r"lacks translator\.translator_heads\.LiheYoung/depth"):
        load_encoder(weights, variant="theia-tiny-patch16-224-cddsv")
    with pytest.raises(TheiaError, match="no released Theia checkpoint"):
        load_encoder(weights, variant="theia-huge-patch16-224-cdiv")


def test_reductions_come_from_all_tokens(encoder):
    everything = encoder.encode(FRAME, reduce="all")
    assert everything.shape == (1, 197, 192)
    np.testing.assert_array_equal(encoder.encode(FRAME), everything[:, 1:])
    np.testing.assert_array_equal(encoder.encode(FRAME, reduce="cls"), everything[:, 0])
    np.testing.assert_allclose(encoder.encode(FRAME, reduce="mean"), everything[:, 1:].mean(1), atol=1e-6)
    np.testing.assert_array_equal(encoder.encode(FRAME, reduce="max"), everything[:, 1:].max(1))


def test_translate_gives_each_teachers_map(encoder):
    predicted = encoder.translate(FRAME)
    assert {teacher: features.shape for teacher, features in predicted.items()} == {
        "google/vit-huge-patch14-224-in21k": (1, 256, 1280),
        "facebook/dinov2-large": (1, 256, 1024),
        "openai/clip-vit-large-patch14": (1, 256, 1024),
    }


def test_another_resolution_changes_the_grid_and_closes_the_translators(encoder):
    large = encoder.at_resolution(256)
    assert large.encode(FRAME).shape == (1, 256, 192)
    assert (large.spec.grid, encoder.spec.grid) == ((16, 16), (14, 14))
    with pytest.raises(TheiaError, match="14x14 tokens"):
        large.translate(FRAME)
    with pytest.raises(TheiaError, match="230 pixels"):
        encoder.at_resolution(230)
    with pytest.raises(TheiaError, match="224 pixels only"):
        load_encoder("efficientnet-lite2-s16").at_resolution(256)


def test_half_precision_weights_load_and_a_backbone_alone_has_no_translators(cdiv_folder, encoder, tmp_path):
    tensors = {
        key: tensor.half()
        for key, tensor in load_file(cdiv_folder / "model.safetensors").items()
        if key.startswith("backbone.")
    }
    save_file(tensors, tmp_path / "model.safetensors")
    config = json.loads((cdiv_folder / "config.json").read_text()) | {"target_feature_sizes": {}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    half = load_encoder(tmp_path)
    assert 0 < np.abs(half.encode(FRAME) - encoder.encode(FRAME)).max() < 0.05
    with pytest.raises(TheiaError, match="no feature translators"):
        half.translate(FRAME)


def change(folder, tmp_path, edit):
    shutil.copytree(folder, tmp_path / "changed")
    tensors = load_file(tmp_path / "changed" / "model.safetensors")
    edit(tensors)
    save_file(tensors, tmp_path / "changed" / "model.safetensors")
    return tmp_path / "changed"


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda t: t.pop("backbone.model.layernorm.bias"), r"it lacks backbone\.model\.layernorm\.bias"),
        (lambda t: t.update(extra=torch.zeros(1)), "it has the unexpected extra"),
        (
            lambda t: t.update({"backbone.model.layernorm.bias": torch.zeros(384)}),
            r"layernorm\.bias \(384,\) instead of \(192,\)",
        ),
    ],
)
def test_missing_unexpected_and_misshapen_keys_are_named(cdiv_folder, tmp_path, edit, complaint):
    with pytest.raises(TheiaError, match=complaint):
        load_encoder(change(cdiv_folder, tmp_path, edit))


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ({"translator_type": "mlp"}, "translator_type 'mlp'"),
        ({"backbone": "resnet50"}, "neither tiny, small nor base"),
        ({"target_feature_sizes": {"a": [1, 2]}}, "not the config"),
    ],
)
def test_a_config_of_another_architecture_is_refused(cdiv_folder, tmp_path, entries, complaint):
    folder = change(cdiv_folder, tmp_path, lambda tensors: None)
    config = json.loads((folder / "config.json").read_text()) | entries
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(TheiaError, match=complaint):
        load_encoder(folder)


def test_a_released_name_without_weights_says_how_to_get_them(cdiv_folder, tmp_path):
    assert len(RELEASED) == 6
    for name in RELEASED:
        assert released_variant(name).name == name
        with pytest.raises(TheiaError, match=r"get its model\.safetensors and config\.json"):
            load_encoder(name)
    with pytest.raises(TheiaError, match="runtime 'torch'"):
        load_encoder(cdiv_folder, runtime="onnxruntime")
    with pytest.raises(TheiaError, match="no weights at"):
        load_encoder(tmp_path / "absent.safetensors", variant=NAME)


def test_the_registry_and_the_vit_need_no_transformers_and_the_packages_no_torch():
    code = (
        "import sys\n"
        "import theia_core.encoders, theia_core.policies, theia_core.runtimes, theia_core.images\n"
        "assert 'torch' not in sys.modules\n"
        "import theia_core.encoders.theia_checkpoint\n"
        "sys.exit('transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
