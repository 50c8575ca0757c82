"""From an engine's folder to an `Encoder` that runs it."""

from pathlib import Path

from theia_core.encoders.encoder import Encoder
from theia_core.encoders.spec import EncoderSpec
from theia_core.engines.certificate import check_certificate
from theia_core.engines.folder import FRAMES, IMAGES, EngineDescription, read_engine
from theia_core.errors import TheiaError
from theia_core.runtimes.onnx_session import CUDA, TENSORRT, OnnxEncoderRuntime
from theia_core.runtimes.protocol import EncoderRuntime

ONNX_RUNTIMES = {"onnxruntime-cuda": CUDA, "onnxruntime-tensorrt": TENSORRT}


def load_engine(
    folder: Path, runtime: str = "auto", *, threads: int = 2, graph: str = "auto", certified: bool = True
) -> Encoder:
    """Encoder of an exported engine; its tokens carry the id of the encoder that it was made of.

    Args:
        folder: the engine's folder.
        runtime: "auto" for the one that its kind of engine is made for; an ONNX engine also runs on
            "onnxruntime", "onnxruntime-cuda" and "onnxruntime-tensorrt".
        threads: CPU threads of the network.
        graph: "images" preprocesses on the CPU as the library does, "frames" takes the camera's raw frames;
            "auto" is "images" on a CPU, where the two matrices of a resize cost more than Pillow's filter,
            and "frames" on a GPU, where the engine has it.
        certified: refuse the engine without a valid, passing certificate. Only what measures one leaves it
            out.

    Raises:
        TheiaError: if a file is absent or not what engine.json names, the runtime is not for this engine or
            cannot run here, or the certificate is absent, of something else, or does not pass.
    """
    engine = read_engine(folder)
    runtime = _runtime_of(engine, runtime)
    if graph == "auto":
        wanted = IMAGES if runtime == "onnxruntime" else FRAMES
        graph = wanted if wanted in engine.inputs else engine.inputs[0]
    running = _open(folder, engine, runtime, graph, threads)
    if certified:
        check_certificate(folder, engine, graph, running.describe())
    return Encoder(engine.spec, engine.checkpoint_sha256, running)


def _runtime_of(engine: EngineDescription, asked: str) -> str:
    """The runtime to use.

    Raises:
        TheiaError: if the engine's kind does not run on the one asked for.
    """
    own = "onnxruntime" if engine.kind.startswith("onnx") else engine.kind
    fitting = (own, *ONNX_RUNTIMES) if own == "onnxruntime" else (own,)
    if asked == "auto":
        return own
    if asked not in fitting:
        raise TheiaError(
            f"an engine of kind {engine.kind} does not run on {asked}; choose one of {', '.join(fitting)}"
        )
    return asked


def open_graph(
    path: Path,
    runtime: str,
    spec: EncoderSpec,
    threads: int,
    largest_batch: int,
    *,
    precision: str = "fp32",
    frame_size: tuple[int, int] | None = None,
) -> EncoderRuntime:
    """An ONNX graph on onnxruntime: on "onnxruntime" or "auto" the CPU, else the provider of `ONNX_RUNTIMES`.

    Raises:
        TheiaError: if it cannot be loaded there.
    """
    if runtime in ("auto", "onnxruntime"):
        return OnnxEncoderRuntime(path, threads, largest_batch, precision=precision, frame_size=frame_size)
    if runtime not in ONNX_RUNTIMES:
        raise TheiaError(
            f"{path} is an ONNX graph and does not run on {runtime}; choose one of onnxruntime, "
            f"{', '.join(ONNX_RUNTIMES)}, or export it: theia export {spec.name} --to tensorrt"
        )
    from theia_core.runtimes.onnx_gpu import OnnxGpuRuntime

    return OnnxGpuRuntime(path, ONNX_RUNTIMES[runtime], precision=precision, frame_size=frame_size)


def _open(folder: Path, engine: EngineDescription, runtime: str, graph: str, threads: int) -> EncoderRuntime:
    path = folder / engine.file_of(graph)
    frame_size = engine.frame_size if graph == FRAMES else None
    if engine.kind.startswith("onnx"):
        return open_graph(
            path,
            runtime,
            engine.spec,
            threads,
            engine.largest_batch,
            precision=engine.precision,
            frame_size=frame_size,
        )
    from theia_core.runtimes.tensorrt_engine import TensorRtRuntime

    return TensorRtRuntime(
        path, engine.built_for, name=runtime, precision=engine.precision, frame_size=frame_size
    )
