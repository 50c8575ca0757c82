"""TensorRT engines from ONNX graphs, by the interface that versions 10 and 11 and TensorRT for RTX share.

Precision lies in the graph and the network is strongly typed: flags for half precision, calibrators and layer
precisions are gone in TensorRT 11. TensorRT needs the GPU that the engine is for; TensorRT for RTX builds for
any of its targets on a machine without one.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from theia_core.cache import cache_folder
from theia_core.errors import TheiaError
from theia_core.files import file_sha256, whole_file
from theia_core.runtimes.cuda import Cuda
from theia_core.runtimes.tensorrt_engine import import_tensorrt

RTX_TARGETS = ("sm75", "sm80", "sm86", "sm89", "sm120")


def build_plan(
    graph: Path, target: Path, kind: str, *, largest_batch: int = 1, targets: Sequence[str] = ()
) -> dict[str, str]:
    """Write the engine of a graph, or copy the one that was built of it before.

    Args:
        graph: `.onnx` file whose only input's first dimension is the batch.
        target: plan to write.
        kind: "tensorrt" or "tensorrt-rtx".
        largest_batch: frames to run at once; the engine is tuned for one.
        targets: of `RTX_TARGETS`, for "tensorrt-rtx"; by default all of them.

    Returns:
        What the engine is tied to: `version`, and `device` or `targets`.

    Raises:
        TheiaError: if TensorRT is absent, a target is unknown, or it cannot build this graph here.
    """
    trt = import_tensorrt(kind)
    built_for = {"version": str(trt.__version__)}
    if kind == "tensorrt":
        built_for["device"] = Cuda().device
    else:
        targets = targets or RTX_TARGETS
        if unknown := [name for name in targets if name not in RTX_TARGETS]:
            raise TheiaError(f"unknown target {unknown[0]!r}; choose of {', '.join(RTX_TARGETS)}")
        built_for["targets"] = ",".join(targets)
    # The bytes of an engine differ from build to build, so an equal one is found by what it was made of.
    key = hashlib.sha256(repr((file_sha256(graph), kind, sorted(built_for.items()), largest_batch)).encode())
    cached = cache_folder("tensorrt", f"{key.hexdigest()[:32]}.plan")
    if not cached.is_file():
        plan = _build(trt, graph, largest_batch, targets if kind == "tensorrt-rtx" else ())
        cached.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(cached) as file:
            file.write(plan)
    with whole_file(target) as file:
        file.write(cached.read_bytes())
    return built_for


def _build(trt: Any, graph: Path, largest_batch: int, targets: Sequence[str]) -> bytes:
    class Log(trt.ILogger):
        """Keeps what TensorRT complains about, for the one sentence of an error."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.errors: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            """Keep an error."""
            if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                self.errors.append(message)

    log = Log()

    def failed(what: str) -> TheiaError:
        why = log.errors[0].splitlines()[0] if log.errors else "it does not say why"
        return TheiaError(f"{trt.__name__} {trt.__version__} cannot {what}: {why}; see docs/deployment.md")

    try:
        builder = trt.Builder(log)
    except TypeError as error:  # the binding's word for a builder that was not made
        raise failed("work on this machine; build where the GPU and its driver are") from error
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    if not parser.parse_from_file(str(graph)):
        raise failed(f"read {graph.name}")
    config = builder.create_builder_config()
    frames = network.get_input(0)
    one = (1, *tuple(frames.shape)[1:])
    profile = builder.create_optimization_profile()
    profile.set_shape(frames.name, one, one, (largest_batch, *one[1:]))
    config.add_optimization_profile(profile)
    if targets:
        config.num_compute_capabilities = len(targets)
        for index, name in enumerate(targets):
            config.set_compute_capability(getattr(trt.ComputeCapability, name.upper()), index)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise failed(f"build an engine of {graph.name}")
    return bytes(memoryview(plan))
