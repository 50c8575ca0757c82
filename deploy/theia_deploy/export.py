"""From a checkpoint to an engine: its graphs in the wanted precision, and TensorRT's engines of them."""

import shutil
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from theia_core.encoders import Encoder, load_encoder
from theia_core.engines.folder import (
    FRAMES,
    GRAPH_FILES,
    IMAGES,
    PLAN_FILES,
    POLICY,
    EngineDescription,
)
from theia_core.errors import TheiaError
from theia_core.files import file_sha256
from theia_core.policies.artefact import policy_folder, read_policy
from theia_core.runtimes.torch_theia import TheiaTorchRuntime
from theia_deploy.joined_graph import behind_preprocessing, policy_graph, with_policy
from theia_deploy.precision import to_dynamic_int8, to_half, to_static_int8
from theia_deploy.preprocessing_graph import OPSET, preprocessing_graph
from theia_deploy.tensorrt_build import build_plan
from theia_training.onnx_graph import to_onnx

DEFAULT_PRECISION = {"onnx": "fp32", "onnx-int8": "int8", "tensorrt": "fp16", "tensorrt-rtx": "fp16"}
_ALLOWED = {
    "onnx": ("fp32", "fp16"),
    "onnx-int8": ("int8",),
    "tensorrt": ("fp32", "fp16", "int8"),
    "tensorrt-rtx": ("fp32", "fp16", "int8"),
}
_TOOLS = ("torch", "onnx", "onnxruntime", "onnxscript")


def load_checkpoint(name_or_path: str | Path, *, threads: int = 2) -> Encoder:
    """The encoder in torch and float32: what engines are made of and measured against.

    Raises:
        TheiaError: if it cannot be loaded, or is no Theia checkpoint.
    """
    return load_encoder(name_or_path, "torch", threads=threads)


def check_precision(kind: str, precision: str | None) -> str:
    """The precision of an engine of this kind; the kind's own if none is given.

    Raises:
        TheiaError: if that kind has no such precision.
    """
    precision = precision or DEFAULT_PRECISION[kind]
    if precision not in _ALLOWED[kind]:
        hint = "; for int8 on a CPU use --to onnx-int8" if (kind, precision) == ("onnx", "int8") else ""
        raise TheiaError(
            f"--to {kind} has no precision {precision}; choose of {', '.join(_ALLOWED[kind])}{hint}"
        )
    return precision


def export_engine(
    checkpoint: Encoder,
    folder: Path,
    kind: str,
    *,
    precision: str | None = None,
    frame_size: tuple[int, int] | None = None,
    policy: str | None = None,
    calibration: np.ndarray | None = None,
    largest_batch: int = 1,
    targets: Sequence[str] = (),
    graph: onnx.ModelProto | None = None,
) -> EngineDescription:
    """Write an engine, without a certificate, in place of whatever `folder` held.

    Args:
        checkpoint: from `load_checkpoint`.
        folder: the engine's folder; it appears when all is written.
        kind: "onnx", "onnx-int8", "tensorrt" or "tensorrt-rtx".
        precision: None for the kind's own: fp32 of onnx, fp16 of TensorRT.
        frame_size: (H, W) of camera frames for the graph with preprocessing; none without it. A TensorRT
            engine is built of this graph where there is one.
        policy: policy to put behind the encoder, in policy.onnx.
        calibration: (B, 3, S, S) float32 real images, for TensorRT in int8.
        largest_batch: frames that a TensorRT engine takes at once.
        targets: GPU generations for TensorRT for RTX.
        graph: from `encoder_graph`, where several engines are made of one checkpoint.

    Raises:
        TheiaError: if the combination is impossible, the policy was trained on another encoder, or TensorRT
            cannot build the graph.
    """
    precision = check_precision(kind, precision)
    graph = graph or encoder_graph(checkpoint)
    if folder.exists() and any(folder.iterdir()) and not (folder / "engine.json").is_file():
        raise TheiaError(f"{folder} holds something other than an engine; give another --out")
    if policy and not frame_size:
        raise TheiaError("--policy puts a policy behind the camera's frames: it needs --frame HxW too")
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        description = _export(
            checkpoint,
            graph,
            partial,
            kind,
            precision,
            frame_size,
            policy,
            calibration,
            largest_batch,
            targets,
        )
        description.write(partial)
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return description


def encoder_graph(checkpoint: Encoder) -> onnx.ModelProto:
    """The checkpoint's graph images (B, 3, S, S) -> all tokens (B, T, d) in float32, weights inside.

    Raises:
        TheiaError: if it is no Theia checkpoint on torch.
    """
    runtime = checkpoint.runtime
    if not isinstance(runtime, TheiaTorchRuntime):
        raise TheiaError(f"{checkpoint.encoder_id} is no Theia checkpoint on torch; only those are exported")
    size = checkpoint.spec.preprocessing.size
    graph = to_onnx(runtime.model, (torch.zeros(2, 3, size, size),), ("images",), "tokens", OPSET)
    strip_origins(graph)
    return graph


def _export(
    checkpoint: Encoder,
    graph: onnx.ModelProto,
    folder: Path,
    kind: str,
    precision: str,
    frame_size: tuple[int, int] | None,
    policy: str | None,
    calibration: np.ndarray | None,
    largest_batch: int,
    targets: Sequence[str],
) -> EngineDescription:
    spec = checkpoint.spec
    graphs = {IMAGES: folder / GRAPH_FILES[IMAGES]}
    _write_encoder(graph, graphs[IMAGES], kind, precision, calibration)
    policy_id = ""
    if frame_size:
        graphs[FRAMES] = folder / GRAPH_FILES[FRAMES]
        frames = behind_preprocessing(
            preprocessing_graph(spec.preprocessing, *frame_size), onnx.load(graphs[IMAGES])
        )
        _save(frames, graphs[FRAMES])
        if policy:
            source = policy_folder(policy)
            meta = read_policy(source)
            if meta["encoder_id"] != checkpoint.encoder_id:
                raise TheiaError(
                    f"policy {policy} was trained on tokens of {meta['encoder_id']}, not of "
                    f"{checkpoint.encoder_id}; give the policy of this encoder"
                )
            policy_id = f"{meta['name']}@{meta['weights_sha256'][:12]}"
            graphs[POLICY] = folder / GRAPH_FILES[POLICY]
            _save(with_policy(frames, spec.special_tokens, policy_graph(source)), graphs[POLICY])
    built_for: dict[str, str] = {}
    if not kind.startswith("onnx"):
        taken = FRAMES if frame_size else IMAGES
        built_for = build_plan(
            graphs[taken], folder / PLAN_FILES[taken], kind, largest_batch=largest_batch, targets=targets
        )
    return EngineDescription(
        kind=kind,
        precision=precision,
        encoder_id=checkpoint.encoder_id,
        checkpoint_sha256=checkpoint.weights_sha256,
        spec=spec,
        files={path.name: file_sha256(path) for path in sorted(folder.iterdir())},
        frame_size=frame_size,
        largest_batch=1 if kind.startswith("onnx") else largest_batch,
        policy_id=policy_id,
        built_for=built_for,
        built_with=_versions(),
    )


def _write_encoder(
    graph: onnx.ModelProto, path: Path, kind: str, precision: str, calibration: np.ndarray | None
) -> None:
    """The graph images -> tokens in its precision."""
    if precision == "fp16":
        graph = to_half(graph)
    if precision != "int8":
        _save(graph, path)
        return
    plain = path.with_suffix(".fp32")
    try:
        _save(graph, plain)
        if kind == "onnx-int8":
            to_dynamic_int8(plain, path)
        elif calibration is None or not len(calibration):
            raise TheiaError("int8 for TensorRT needs real images for its scales; give --photos FOLDER")
        else:
            to_static_int8(plain, path, calibration)
        quantised = onnx.load(path)
        strip_origins(quantised)
        _save(quantised, path)
    finally:
        plain.unlink(missing_ok=True)


def strip_origins(model: Any) -> None:
    """Take out where the exporter ran and from which lines: equal networks then have equal files."""
    del model.metadata_props[:]
    for part in (model.graph, *model.graph.node, *model.graph.input, *model.graph.output):
        part.doc_string = ""
        del part.metadata_props[:]
    for value in model.graph.value_info:
        value.doc_string = ""
        del value.metadata_props[:]


def _save(model: onnx.ModelProto, path: Path) -> None:
    # Deterministic, so that an equal export has an equal hash and an older certificate holds.
    path.write_bytes(model.SerializeToString(deterministic=True))


def _versions() -> dict[str, str]:
    found = {}
    for name in _TOOLS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
