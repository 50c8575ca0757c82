"""Matrices that an exporter handed over nameless and turned around get their names back."""

import numpy as np
import pytest

# ruff: noqa: E402
torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from theia_core.encoders.vit_file import read_vit_file
from theia_core.errors import TheiaError
from theia_training.vit_weights import main, read_onnx_vit

RNG = np.random.default_rng(0)
WIDTH, MLP, PATCH = 8, 16, 4
MATRICES = {
    "attention/attention/query": (WIDTH, WIDTH),
    "attention/attention/key": (WIDTH, WIDTH),
    "attention/attention/value": (WIDTH, WIDTH),
    "attention/output/dense": (WIDTH, WIDTH),
    "mlp/fc1": (MLP, WIDTH),
    "mlp/fc2": (WIDTH, MLP),
}


def normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


@pytest.fixture
def exported(tmp_path):
    """A two-block DINOv2 as PyTorch's older exporter writes one: path, initializers, matrices by name."""
    helper = onnx.helper
    weights = {
        "backbone.embeddings.cls_token": normal(1, 1, WIDTH),
        "backbone.embeddings.patch_embeddings.projection.weight": normal(WIDTH, 3, PATCH, PATCH),
        "backbone.embeddings.patch_embeddings.projection.bias": normal(WIDTH),
        "backbone.layernorm.weight": normal(WIDTH),
        "backbone.layernorm.bias": normal(WIDTH),
        "decoder.weight": normal(3, 3),
        "onnx::Concat_1": normal(1, 1, WIDTH),
        "onnx::Reshape_2": normal(1, 9, WIDTH),
    }
    nodes = [
        helper.make_node("Concat", ["onnx::Concat_1"], ["c"], "/backbone/embeddings/Concat", axis=0),
        helper.make_node("Reshape", ["onnx::Reshape_2", "s"], ["r"], "/backbone/embeddings/Reshape_1"),
    ]
    matrices = {}
    for index in range(2):
        layer = f"backbone.encoder.layer.{index}"
        for name in ("norm1", "norm2"):
            weights[f"{layer}.{name}.weight"], weights[f"{layer}.{name}.bias"] = normal(2, WIDTH)
        weights[f"{layer}.layer_scale1.lambda1"], weights[f"{layer}.layer_scale2.lambda1"] = normal(2, WIDTH)
        for place, (name, shape) in enumerate(MATRICES.items()):
            number = f"onnx::MatMul_{index}{place}"
            matrices[f"{index}/{name}"] = normal(*shape)
            weights[number] = np.ascontiguousarray(matrices[f"{index}/{name}"].T)
            weights[f"{layer}.{name.replace('/', '.')}.bias"] = normal(shape[0])
            path = f"/backbone/encoder/layer.{index}/{name}/MatMul"
            nodes.append(helper.make_node("MatMul", ["x", number], [f"y{index}{place}"], path))
    initializers = [onnx.numpy_helper.from_array(array, name) for name, array in weights.items()]
    path = tmp_path / "vit.onnx"
    onnx.save(helper.make_model(helper.make_graph(nodes, "vit", [], [], initializers)), path)
    return path, weights, matrices


def test_every_matrix_lies_under_timms_name_as_torch_keeps_it(exported):
    path, weights, matrices = exported
    found, left = read_onnx_vit(path)
    assert left == ["decoder.weight"]
    np.testing.assert_array_equal(found["blocks.1.mlp.fc1.weight"], matrices["1/mlp/fc1"])
    np.testing.assert_array_equal(found["blocks.0.attn.proj.weight"], matrices["0/attention/output/dense"])
    qkv = [matrices[f"1/attention/attention/{part}"] for part in ("query", "key", "value")]
    np.testing.assert_array_equal(found["blocks.1.attn.qkv.weight"], np.concatenate(qkv))
    positions = np.concatenate([weights["onnx::Concat_1"], weights["onnx::Reshape_2"]], axis=1)
    np.testing.assert_array_equal(found["pos_embed"], positions)
    np.testing.assert_array_equal(
        found["blocks.0.ls2.gamma"], weights["backbone.encoder.layer.0.layer_scale2.lambda1"]
    )


def test_the_file_reads_back_as_a_vit_with_its_layer_scale_folded(exported, tmp_path, capsys):
    path, weights, matrices = exported
    out = tmp_path / "out" / "vit.safetensors"
    assert main([str(path), str(out), "--heads", "2", "--mean", "0.1", "0.2", "0.3"]) == 0
    assert "2 blocks, width 8, patch 4, 10 positions" in capsys.readouterr().out
    source = read_vit_file(out)
    assert (source.width, source.layers, source.heads) == (WIDTH, 2, 2)
    assert source.preprocessing.mean == (0.1, 0.2, 0.3)
    scale = weights["backbone.encoder.layer.1.layer_scale2.lambda1"]
    np.testing.assert_allclose(
        source.tensors["encoder.layer.1.output.dense.weight"],
        scale[:, None] * matrices["1/mlp/fc2"],
        rtol=1e-6,
    )


def test_a_graph_without_a_vit_is_refused(tmp_path, capsys):
    path = tmp_path / "x.onnx"
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], [])), path)
    with pytest.raises(TheiaError, match="holds no ViT"):
        read_onnx_vit(path)
    path.write_bytes(b"\xff\xff")
    assert main([str(path), str(tmp_path / "out.safetensors")]) == 2
    assert "not a readable ONNX graph" in capsys.readouterr().err
