"""An ONNX graph over safetensors weights computes what the original graph does, from weights stored once."""

import struct

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from theia_core.errors import TheiaError
from theia_core.runtimes.onnx_session import OnnxSession
from theia_core.runtimes.safetensors_graph import tensor_places, write_graph_over_safetensors

onnx = pytest.importorskip("onnx")

RNG = np.random.default_rng(0)
WEIGHT = RNG.standard_normal((64, 32)).astype(np.float32)
BIAS = RNG.standard_normal(32).astype(np.float32)
INPUT = RNG.standard_normal((3, 64)).astype(np.float32)


def small_model(weight=WEIGHT):
    """y = x @ weight + bias, with the weights inside."""
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weight"], ["h"]), helper.make_node("Add", ["h", "bias"], ["y"])],
        "small",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["batch", 64])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["batch", 32])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(BIAS, "bias")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def test_the_split_graph_computes_with_the_half_precision_weights_of_the_safetensors_file(tmp_path):
    write_graph_over_safetensors(small_model(), tmp_path / "g.onnx", tmp_path / "w.safetensors")
    stored = load_file(tmp_path / "w.safetensors")
    assert stored["weight"].dtype == np.float16
    assert stored["bias"].dtype == np.float32
    output = OnnxSession(tmp_path / "g.onnx", threads=1).run(INPUT)
    np.testing.assert_allclose(output, INPUT @ WEIGHT.astype(np.float16).astype(np.float32) + BIAS, atol=1e-5)
    assert 0 < np.abs(output - (INPUT @ WEIGHT + BIAS)).max() < 0.02


def test_the_graph_file_holds_no_large_weight_and_follows_the_safetensors_file(tmp_path):
    write_graph_over_safetensors(small_model(), tmp_path / "g.onnx", tmp_path / "w.safetensors")
    assert (tmp_path / "g.onnx").stat().st_size < WEIGHT.nbytes / 4
    tensors = load_file(tmp_path / "w.safetensors")
    tensors["weight"] = np.zeros_like(tensors["weight"])
    save_file(tensors, tmp_path / "w.safetensors")
    output = OnnxSession(tmp_path / "g.onnx", threads=1).run(INPUT)
    np.testing.assert_allclose(output, np.tile(BIAS, (3, 1)), atol=1e-6)


def test_tensor_places_point_at_the_bytes_of_each_tensor(tmp_path):
    save_file({"a": BIAS, "b": WEIGHT.astype(np.float16)}, tmp_path / "w.safetensors", {"note": "kept apart"})
    places = tensor_places(tmp_path / "w.safetensors")
    assert set(places) == {"a", "b"}
    raw = (tmp_path / "w.safetensors").read_bytes()
    place = places["a"]
    np.testing.assert_array_equal(np.frombuffer(raw, "<f4", 32, place.offset), BIAS)
    assert place.length == BIAS.nbytes
    assert places["b"].shape == (64, 32)


def test_a_weight_that_overflows_half_precision_is_refused_by_name(tmp_path):
    with pytest.raises(TheiaError, match="weight is not finite as float16"):
        write_graph_over_safetensors(
            small_model(WEIGHT * 1e6), tmp_path / "g.onnx", tmp_path / "w.safetensors"
        )


@pytest.mark.parametrize(
    "content", [b"", b"abc", struct.pack("<Q", 5) + b"{nope", struct.pack("<Q", 1 << 62)]
)
def test_a_file_that_is_not_safetensors_is_named(tmp_path, content):
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(TheiaError, match=r"w\.safetensors is not a readable"):
        tensor_places(tmp_path / "w.safetensors")


def test_a_missing_weights_file_and_a_missing_provider_are_named(tmp_path):
    write_graph_over_safetensors(small_model(), tmp_path / "g.onnx", tmp_path / "w.safetensors")
    with pytest.raises(TheiaError, match="has no CUDAExecutionProvider"):
        OnnxSession(tmp_path / "g.onnx", provider="CUDAExecutionProvider")
    (tmp_path / "w.safetensors").unlink()
    with pytest.raises(TheiaError, match=r"g\.onnx"):
        OnnxSession(tmp_path / "g.onnx")


def test_the_file_may_hold_a_matrix_under_another_name_and_turned_around(tmp_path):
    extra = RNG.standard_normal((40, 40)).astype(np.float32)
    tensors = {"layer.weight": np.ascontiguousarray(WEIGHT.T), "layer.bias": BIAS, "unused": extra}
    write_graph_over_safetensors(
        small_model(), tmp_path / "g.onnx", tmp_path / "w.safetensors", tensors=tensors
    )
    stored = load_file(tmp_path / "w.safetensors")
    assert {name: array.shape for name, array in stored.items()} == {
        name: array.shape for name, array in tensors.items()
    }
    output = OnnxSession(tmp_path / "g.onnx", threads=1).run(INPUT)
    expected = INPUT @ stored["layer.weight"].T.astype(np.float32) + BIAS
    np.testing.assert_allclose(output, expected, atol=1e-5)


def test_a_matrix_that_the_file_would_not_hold_is_named(tmp_path):
    with pytest.raises(TheiaError, match=r"initializer weight \(64, 32\) is none of the model's weights"):
        write_graph_over_safetensors(
            small_model(), tmp_path / "g.onnx", tmp_path / "w.safetensors", tensors={"bias": BIAS}
        )
