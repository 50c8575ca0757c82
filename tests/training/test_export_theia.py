"""A distilled checkpoint becomes an encoder that both runtimes load from one file of weights."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

# ruff: noqa: E402
torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from theia_core.encoders import load_encoder
from theia_core.encoders.feature_size import FeatureSize
from theia_core.encoders.theia import TheiaModel
from theia_core.encoders.theia_checkpoint import load_theia_model, save_theia_checkpoint
from theia_core.encoders.theia_variants import TheiaVariant
from theia_core.errors import TheiaError
from theia_core.runtimes.safetensors_graph import tensor_places
from theia_training import export_theia as module
from theia_training.export_theia import export_theia, fastest_batch, main

TEACHERS = {"a": FeatureSize(24, 7, 7), "b/b": FeatureSize(16, 16, 16)}
FRAMES = np.random.default_rng(0).integers(0, 256, (3, 120, 160, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def model():
    """An untrained Tiny; its many equal biases are what an exporter merges."""
    torch.manual_seed(0)
    model = TheiaModel(TheiaVariant("student", "tiny", TEACHERS, registers=1, translator="linear")).eval()
    with torch.no_grad():
        model.backbone.model.layernorm.bias.add_(torch.randn(192))
    return model


@pytest.fixture(scope="module")
def checkpoint(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    save_theia_checkpoint(model, folder)
    return folder


@pytest.fixture(scope="module")
def exported(checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoders") / "tiny"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BATCHES", (1, 2))
        assert (
            main([str(checkpoint), str(folder), "--name", "tiny", "--licence", "MIT", "--source", "x"]) == 0
        )
    return folder


def test_onnxruntime_gives_the_checkpoints_tokens_without_torch(exported, checkpoint):
    encoder, original = load_encoder(exported, threads=1), load_encoder(checkpoint, threads=1)
    assert (encoder.runtime.name, encoder.spec.name, encoder.spec.licence) == ("onnxruntime", "tiny", "MIT")
    tokens, expected = encoder.encode(FRAMES, reduce="all"), original.encode(FRAMES, reduce="all")
    assert tokens.shape == (3, 1 + 1 + 196, 192)
    assert 0 < np.abs(tokens - expected).max() < 0.02 * expected.std()
    code = (
        "import sys, numpy\n"
        "from theia_core.encoders import load_encoder\n"
        f"load_encoder({str(exported)!r}).encode(numpy.zeros((48, 64, 3), numpy.uint8))\n"
        "sys.exit(bool({'torch', 'onnx'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_both_runtimes_are_one_encoder(exported):
    graph, network = load_encoder(exported), load_encoder(exported, runtime="torch")
    assert graph.encoder_id == network.encoder_id
    assert graph.spec == network.spec
    difference = np.abs(graph.encode(FRAMES) - network.encode(FRAMES)).max()
    print(f"largest difference between the runtimes {difference:.2e}")
    assert difference < 1e-4


def test_the_graph_takes_any_batch_and_a_batch_equals_its_frames_alone(exported):
    runtime = load_encoder(exported).runtime
    images = np.random.default_rng(1).standard_normal((3, 3, 224, 224), dtype=np.float32)
    together = runtime.run(images)
    for image, tokens in zip(images, together, strict=True):
        np.testing.assert_allclose(runtime.run(image[None])[0], tokens, atol=1e-5)


def test_the_weights_file_holds_exactly_the_backbones_released_keys(exported, model):
    state = {k: tuple(v.shape) for k, v in model.state_dict().items() if k.startswith("backbone.")}
    places = tensor_places(exported / "model.safetensors")
    assert {name: place.shape for name, place in places.items()} == state
    assert places["backbone.model.encoder.layer.0.intermediate.dense.weight"].dtype == "F16"
    heads = {k: tuple(v.shape) for k, v in model.state_dict().items() if k.startswith("translator.")}
    places = tensor_places(exported / "translators.safetensors")
    assert {name: place.shape for name, place in places.items()} == heads


def test_torch_translates_and_takes_other_resolutions_and_the_graph_says_so(exported, checkpoint):
    network, graph = load_encoder(exported, runtime="torch"), load_encoder(exported)
    expected = load_encoder(checkpoint).translate(FRAMES)
    for teacher, features in network.translate(FRAMES).items():
        assert np.abs(features - expected[teacher]).max() < 0.02 * expected[teacher].std()
    assert network.at_resolution(160).encode(FRAMES).shape == (3, 100, 192)
    for attempt in (lambda: graph.translate(FRAMES), lambda: graph.at_resolution(160)):
        with pytest.raises(TheiaError, match="runtime='torch'"):
            attempt()


def test_what_was_measured_stands_in_the_description_and_the_card(exported):
    entries = json.loads((exported / "encoder.json").read_text())
    assert entries["largest_batch"] in (1, 2)
    assert all(parity["cosine_min"] > 0.9999 for parity in entries["parity_with_float32"].values())
    assert set(entries["parity_with_float32"]) == {"onnxruntime", "torch"}
    card = (exported / "README.md").read_text()
    assert card.count(load_encoder(exported).encoder_id) == 1
    assert f"{entries['parity_with_float32']['torch']['cosine_min']:.6f} on torch" in card


def test_equal_weights_have_equal_hashes_whatever_they_are_called(
    exported, checkpoint, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "BATCHES", (1,))
    again = export_theia(checkpoint, tmp_path, "another", "MIT", "y")
    entries = json.loads((exported / "encoder.json").read_text())
    for key in ("weights_sha256", "translators_sha256"):
        assert again[key] == entries[key]


def test_without_translators_the_folder_still_loads_strictly_in_both(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BATCHES", (1,))
    (tmp_path / "translators.safetensors").write_bytes(b"of an older export")
    export_theia(checkpoint, tmp_path, "bare", "MIT", "x", translators=False, notes="## Notes\n")
    assert not (tmp_path / "translators.safetensors").exists()
    assert load_encoder(tmp_path).encode(FRAMES).shape == (3, 196, 192)
    with pytest.raises(TheiaError, match="no feature translators"):
        load_encoder(tmp_path, runtime="torch").translate(FRAMES)
    assert (tmp_path / "README.md").read_text().endswith("## Notes\n")


def test_translators_of_another_version_are_refused(exported, model, tmp_path):
    folder = shutil.copytree(exported, tmp_path / "copy")
    content = bytearray((folder / "translators.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "translators.safetensors").write_bytes(content)
    load_encoder(folder)
    with pytest.raises(TheiaError, match="sha256"):
        load_encoder(folder, runtime="torch")
    save_theia_checkpoint(model, folder)
    with pytest.raises(TheiaError, match=r"both hold translator\.translator_heads"):
        load_theia_model(folder / "model.safetensors", model.variant)


def test_weights_beyond_half_precision_are_refused(model, tmp_path):
    import copy

    broken = copy.deepcopy(model)
    with torch.no_grad():
        broken.backbone.model.embeddings.position_embeddings[0, 0, 0] = 1e6
    save_theia_checkpoint(broken, tmp_path / "checkpoint")
    with pytest.raises(TheiaError, match="position_embeddings is not finite as float16"):
        export_theia(tmp_path / "checkpoint", tmp_path / "out", "x", "MIT", "x")


def test_a_larger_batch_is_chosen_only_where_it_is_a_fifth_faster():
    assert fastest_batch({"1": 20.0, "2": 19.0, "8": 16.5}) == 1
    assert fastest_batch({"1": 20.0, "2": 17.0, "8": 14.0}) == 2


def test_a_module_that_fixes_its_batch_is_not_exported():
    from theia_training.onnx_graph import to_onnx

    class Fixed(torch.nn.Module):
        def forward(self, x):
            return x + torch.ones(1, 3).expand(len(x), -1)

    with pytest.raises(RuntimeError, match="Fixed fixed its batch"):
        to_onnx(Fixed(), (torch.zeros(2, 3),), ("x",), "y")
