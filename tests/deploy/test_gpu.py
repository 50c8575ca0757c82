"""What needs an NVIDIA GPU; none of it has run on this project's own machines, which have none.

pip install 'theia-robotics[export,gpu,tensorrt]' tensorrt-cu13 && pytest -m gpu tests/deploy/test_gpu.py -s
"""

import time

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from theia_core.encoders import load_encoder
from theia_core.engines.opening import load_engine
from theia_core.errors import TheiaError
from theia_core.runtimes.gpu import gpu_name
from theia_deploy.certify import certify
from theia_deploy.export import export_engine

FRAME = (480, 640)

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(gpu_name() is None, reason="this machine has no NVIDIA GPU"),
    pytest.mark.timeout(900),
]


def median_ms(encoder, frame, rounds=100):
    times = []
    for _ in range(rounds):
        started_s = time.perf_counter()
        encoder.encode(frame)
        times.append((time.perf_counter() - started_s) * 1000)
    return float(np.median(times))


def test_torch_on_the_gpu_gives_the_cpu_s_tokens(checkpoint, frames):
    encoder = load_encoder("theia-tiny", "torch-cuda")
    difference = np.abs(encoder.encode(frames.camera[0]) - checkpoint.encode(frames.camera[0])).max()
    print(f"{encoder.describe()}: {difference:.2e}, {median_ms(encoder, frames.camera[0]):.2f} ms")
    assert difference < 0.05  # TF32 is torch's choice


@pytest.mark.parametrize("runtime", ["onnxruntime-cuda", "onnxruntime-tensorrt"])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_onnxruntime_on_the_gpu_gets_a_certificate(checkpoint, graph, frames, tmp_path, runtime, precision):
    folder = tmp_path / "engine"
    export_engine(checkpoint, folder, "onnx", precision=precision, frame_size=FRAME, graph=graph)
    certificate = certify(folder, checkpoint, frames, policy="door", runtime=runtime)
    assert certificate.passed, certificate.failures()
    encoder = load_encoder(folder, runtime)
    print(f"{encoder.describe()}: {median_ms(encoder, frames.camera[0]):.2f} ms from a raw frame")
    with pytest.raises(TheiaError, match="is certified for runtime"):
        load_encoder(folder, "onnxruntime")


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_native_tensorrt_gets_a_certificate_and_takes_two_cameras(
    checkpoint, graph, frames, tmp_path, precision
):
    pytest.importorskip("tensorrt")
    pytest.importorskip("cuda.bindings.runtime")
    folder = tmp_path / "engine"
    images = np.concatenate([checkpoint.spec.preprocessing.apply(f) for f in frames.camera[:4]])
    options = {"precision": precision, "frame_size": FRAME, "largest_batch": 2, "graph": graph}
    export_engine(checkpoint, folder, "tensorrt", calibration=images, **options)
    certificate = certify(folder, checkpoint, frames, policy="door")
    assert certificate.passed, certificate.failures()
    encoder = load_encoder(folder)
    one = [encoder.encode(frame)[0] for frame in frames.camera[:2]]
    both = encoder.encode_each(frames.camera[:2])
    assert np.abs(both - np.stack(one)).max() < 0.05
    print(f"{encoder.describe()}: {median_ms(encoder, frames.camera[0]):.2f} ms from a raw frame")


def test_a_truncated_engine_is_one_sentence(checkpoint, graph, tmp_path):
    pytest.importorskip("tensorrt")
    folder = tmp_path / "engine"
    export_engine(checkpoint, folder, "tensorrt", frame_size=FRAME, graph=graph)
    plan = folder / "frames.plan"
    plan.write_bytes(plan.read_bytes()[:1000])
    with pytest.raises(TheiaError, match="truncated, changed or of another model"):
        load_engine(folder, certified=False)
