"""TensorRT for RTX builds engines of Tiny and Base on a machine without a GPU.

pip install 'theia-robotics[tensorrt-rtx]' && pytest tests/deploy/test_tensorrt_rtx.py
"""

import numpy as np
import onnx
import pytest

# ruff: noqa: E402
trt = pytest.importorskip(
    "tensorrt_rtx", reason="the wheel tensorrt-rtx (95 MB) is not installed: pip install tensorrt-rtx"
)
pytest.importorskip("torch")

from theia_core.encoders.deterministic import deterministic_model
from theia_core.encoders.theia_checkpoint import save_theia_checkpoint
from theia_core.encoders.theia_variants import TheiaVariant
from theia_core.engines.folder import read_engine
from theia_core.engines.opening import load_engine
from theia_core.errors import TheiaError
from theia_deploy.export import export_engine, load_checkpoint
from theia_deploy.tensorrt_build import build_plan

pytestmark = [pytest.mark.slow, pytest.mark.rtx]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("THEIA_CACHE", str(tmp_path / "cache"))


def test_tiny_from_raw_frames_in_half_precision_for_two_generations(checkpoint, graph, tmp_path):
    folder = tmp_path / "engine"
    engine = export_engine(
        checkpoint,
        folder,
        "tensorrt-rtx",
        frame_size=(480, 640),
        largest_batch=2,
        targets=("sm86", "sm89"),
        graph=graph,
    )
    assert engine.precision == "fp16"
    assert engine.inputs == ("frames",)
    assert engine.built_for == {"version": trt.__version__, "targets": "sm86,sm89"}
    assert read_engine(folder) == engine
    assert (folder / "frames.plan").stat().st_size > 5_000_000
    with pytest.raises(TheiaError):  # there is no GPU here, or no certificate
        load_engine(folder)


@pytest.mark.timeout(600)
def test_base_in_half_precision(tmp_path):
    variant = TheiaVariant("deterministic-base", "base", {})
    save_theia_checkpoint(deterministic_model(variant), tmp_path / "base")
    base = load_checkpoint(tmp_path / "base", threads=1)
    export_engine(base, tmp_path / "engine", "tensorrt-rtx", frame_size=(480, 640), targets=("sm89",))
    assert (tmp_path / "engine" / "frames.plan").stat().st_size > 100_000_000


def test_signed_symmetric_int8_is_accepted(checkpoint, graph, frames, tmp_path):
    images = np.concatenate([checkpoint.spec.preprocessing.apply(f) for f in frames.camera[:2]])
    options = {"precision": "int8", "calibration": images, "targets": ("sm89",), "graph": graph}
    engine = export_engine(checkpoint, tmp_path / "engine", "tensorrt-rtx", **options)
    assert engine.precision == "int8"


def test_an_equal_engine_is_not_built_again(tmp_path, monkeypatch):
    node = onnx.helper.make_node("Add", ["x", "x"], ["y"])
    value = onnx.helper.make_tensor_value_info
    shape = ["batch", 4]
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            [node],
            "double",
            [value("x", onnx.TensorProto.FLOAT, shape)],
            [value("y", onnx.TensorProto.FLOAT, shape)],
        ),
        opset_imports=[onnx.helper.make_opsetid("", 20)],
    )
    onnx.save(model, tmp_path / "double.onnx")
    for name in ("a.plan", "b.plan"):
        build_plan(tmp_path / "double.onnx", tmp_path / name, "tensorrt-rtx", targets=("sm89",))
    # The bytes differ from build to build, so equal ones are one build.
    assert (tmp_path / "a.plan").read_bytes() == (tmp_path / "b.plan").read_bytes()


@pytest.mark.parametrize(
    ("content", "targets", "sentence"),
    [(b"no graph", ("sm89",), "cannot read"), (b"", ("sm87",), "unknown target 'sm87'")],
)
def test_what_cannot_be_built_is_one_sentence(tmp_path, content, targets, sentence):
    (tmp_path / "x.onnx").write_bytes(content)
    with pytest.raises(TheiaError, match=sentence):
        build_plan(tmp_path / "x.onnx", tmp_path / "x.plan", "tensorrt-rtx", targets=targets)
    assert not (tmp_path / "x.plan").exists()
