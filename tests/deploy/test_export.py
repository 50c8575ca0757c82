"""Exported graphs: what is in them, and that they are the checkpoint."""

import collections

import numpy as np
import pytest

# ruff: noqa: E402
onnx = pytest.importorskip("onnx")
pytest.importorskip("torch")

from theia_core.engines.folder import read_engine
from theia_core.engines.frame_policy import load_frame_policy
from theia_core.engines.opening import load_engine
from theia_core.errors import TheiaError
from theia_core.policies import load_policy
from theia_core.runtimes.onnx_gpu import OnnxGpuRuntime
from theia_core.runtimes.onnx_session import CPU
from theia_deploy.export import export_engine
from theia_deploy.precision import first_mlp, to_half, to_static_int8


def operators(model):
    return collections.Counter(node.op_type for node in model.graph.node)


def test_the_graph_keeps_gelu_norms_and_three_projections(graph):
    counts = operators(graph)
    assert (counts["Gelu"], counts["LayerNormalization"]) == (12, 25)
    constants = {value.name for value in graph.graph.initializer}
    linears = [n for n in graph.graph.node if n.op_type == "MatMul" and n.input[1] in constants]
    assert len(linears) == 12 * 6  # query, key, value, output and two of the MLP
    assert graph.opset_import[0].version == 20
    assert graph.graph.input[0].type.tensor_type.shape.dim[0].dim_param


def test_frames_graph_agrees_with_library_and_torch_to_a_thousandth(exported, checkpoint, frames):
    engine = load_engine(exported / "onnx", graph="frames", threads=1, certified=False)
    for frame in frames.camera[:3]:
        difference = np.abs(engine.encode(frame) - checkpoint.encode(frame)).max()
        print(f"largest difference {difference:.2e}")
        assert difference < 1e-3


def test_the_batch_is_open(exported, frames):
    engine = load_engine(exported / "onnx", graph="frames", threads=1, certified=False)
    batch = np.stack(frames.camera[:3])
    together = engine.runtime.run(batch)
    assert together.shape == (3, 197, 192)
    assert np.abs(together[2] - engine.runtime.run(batch[2:])[0]).max() < 1e-4


def test_int8_multiplies_8_bit_numbers_in_all_linear_layers_but_two(exported):
    model = onnx.load(exported / "onnx-int8" / "model.onnx")
    assert operators(model)["MatMulInteger"] == 72 - 2
    weights = [
        onnx.numpy_helper.to_array(value)
        for value in model.graph.initializer
        if value.data_type == onnx.TensorProto.INT8 and len(value.dims) == 2
    ]
    assert len(weights) == 70
    # Seven bits: two products of 8-bit numbers then fit the 16 bits that AVX2 sums them in.
    assert max(np.abs(weight.astype(int)).max() for weight in weights) <= 64


def test_half_keeps_norms_whole_and_gives_half_tokens(graph, frames, checkpoint, tmp_path):
    half = to_half(graph)
    onnx.checker.check_model(half)
    assert operators(half)["LayerNormalization"] == 25
    assert half.graph.output[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT16
    onnx.save(half, tmp_path / "half.onnx")
    runtime = OnnxGpuRuntime(tmp_path / "half.onnx", CPU, precision="fp16")
    tokens = runtime.run(checkpoint.spec.preprocessing.apply(frames.camera[0]))
    expected = checkpoint.encode(frames.camera[0], reduce="all")
    assert tokens.dtype == np.float16
    assert np.abs(tokens - expected).max() < 0.05


def test_static_int8_is_signed_symmetric_and_leaves_the_first_mlp(graph, frames, checkpoint, tmp_path):
    images = np.concatenate([checkpoint.spec.preprocessing.apply(f) for f in frames.camera[:3]])
    onnx.save(graph, tmp_path / "fp32.onnx")
    to_static_int8(tmp_path / "fp32.onnx", tmp_path / "int8.onnx", images)
    model = onnx.load(tmp_path / "int8.onnx")
    values = {v.name: onnx.numpy_helper.to_array(v) for v in model.graph.initializer}
    quantised = [n for n in model.graph.node if n.op_type == "QuantizeLinear"]
    assert quantised
    for node in quantised:
        assert values[node.input[2]].dtype == np.int8
        assert not values[node.input[2]].any()
    made = {name for node in model.graph.node if node.op_type == "DequantizeLinear" for name in node.output}
    plain = {n.name for n in model.graph.node if n.op_type == "MatMul" and not set(n.input) & made}
    assert set(first_mlp(graph)) <= plain


def test_buffers_that_stay_where_they_are_give_the_same_tokens(exported, frames):
    path = exported / "onnx" / "frames.onnx"
    bound = OnnxGpuRuntime(path, CPU, frame_size=(480, 640))
    plain = load_engine(exported / "onnx", graph="frames", threads=1, certified=False)
    for batch in (np.stack(frames.camera[:1]), np.stack(frames.camera[1:3]), np.stack(frames.camera[3:4])):
        assert np.abs(bound.run(batch) - plain.runtime.run(batch)).max() < 1e-5


def test_encoder_and_policy_in_one_graph_give_the_policy_s_actions(exported, checkpoint, frames):
    joined = load_frame_policy(exported / "onnx", threads=1, certified=False)
    policy = load_policy("door")
    assert joined.policy_id == policy.policy_id
    for frame, joints in zip(frames.camera[:3], frames.joints, strict=False):
        expected = policy.predict(checkpoint.encode(frame)[0], joints)
        assert np.abs(joined.predict(frame, joints) - expected).max() < 1e-3
    with pytest.raises(TheiaError, match="takes one frame of 480x640"):
        joined.predict(frames.camera[0][:100], frames.joints[0])


def test_tokens_of_an_engine_carry_the_encoder_s_id(exported, checkpoint):
    engine = load_engine(exported / "onnx-int8", threads=1, certified=False)
    assert engine.encoder_id == checkpoint.encoder_id
    assert engine.describe()["precision"] == "int8"


def test_a_frame_of_another_size_is_refused_with_the_remedy(exported):
    engine = load_engine(exported / "onnx", graph="frames", threads=1, certified=False)
    with pytest.raises(TheiaError, match=r"takes frames of 480x640, not 240x320.*--frame 240x320"):
        engine.encode(np.zeros((240, 320, 3), np.uint8))


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        ("onnx-int8", {"precision": "fp16"}, "--to onnx-int8 has no precision fp16"),
        ("onnx", {"precision": "int8"}, "use --to onnx-int8"),
        ("onnx", {"policy": "door"}, "needs --frame HxW"),
        (
            "onnx",
            {"policy": "door-efficientnet-lite2-s16", "frame_size": (48, 64)},
            "was trained on tokens of efficientnet-lite2-s16@",
        ),
        ("tensorrt", {"precision": "int8"}, "needs real images for its scales"),
        ("tensorrt", {}, "tensorrt cannot be imported"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence(checkpoint, graph, tmp_path, kind, options, sentence):
    if "imported" in sentence:
        try:
            import tensorrt  # noqa: F401
        except ImportError:
            pass
        else:
            pytest.skip("TensorRT is installed")
    with pytest.raises(TheiaError, match=sentence):
        export_engine(checkpoint, tmp_path / "out", kind, graph=graph, **options)
    assert not list(tmp_path.iterdir()), "a failed export left something behind"


def test_a_folder_with_something_else_is_not_overwritten(checkpoint, graph, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(TheiaError, match="something other than an engine"):
        export_engine(checkpoint, tmp_path, "onnx", graph=graph)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_an_equal_export_has_equal_files(exported, checkpoint, graph, tmp_path):
    again = export_engine(checkpoint, tmp_path / "again", "onnx", frame_size=(480, 640), graph=graph)
    before = read_engine(exported / "onnx").files
    assert all(before[name] == sha for name, sha in again.files.items())


def test_a_raw_frame_goes_from_the_message_into_the_network_uncopied(exported, frames, monkeypatch):
    pytest.importorskip("sensor_msgs")
    from builtin_interfaces.msg import Time

    from theia.messages.images import image_array, image_message

    engine = load_engine(exported / "onnx", graph="frames", threads=1, certified=False)
    message = image_message(frames.camera[0], Time(), "cam")
    fed, run = [], engine.runtime.run
    monkeypatch.setattr(engine.runtime, "run", lambda inputs: (fed.append(inputs), run(inputs))[1])
    tokens = engine.encode_each([image_array(message)], dtype=np.float16)
    assert np.shares_memory(fed[0], np.asarray(message.data))
    assert (tokens.dtype, tokens.shape) == (np.float16, (1, 196, 192))
    assert np.abs(tokens - engine.encode(frames.camera[0])).max() < 0.01
