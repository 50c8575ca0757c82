"""An ONNX graph over safetensors weights: one file holds every number, the other how to compute with them.

ONNX external data is a file name, an offset and a length, and a safetensors file is a small header before
plain tensor bytes. So each large initializer of the graph points straight into the safetensors file: weights
are stored once, are readable without ONNX, and one hash names them. Weights are kept as float16 and cast to
float32 by the graph, a cast that onnxruntime folds away at load.

Writing needs the `onnx` package; reading needs only onnxruntime, which resolves the file beside the graph by
itself.
"""

import hashlib
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import save_file

from theia_core.errors import MissingExtraError, TheiaError

if TYPE_CHECKING:
    import onnx

INLINE_BYTES = 1024


@dataclass(frozen=True)
class TensorPlace:
    """Where a tensor's bytes lie in a safetensors file: dtype name, shape, offset and length in bytes."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int


def tensor_places(path: Path) -> dict[str, TensorPlace]:
    """Places of all tensors in a safetensors file.

    Raises:
        TheiaError: if the file is absent or is not a safetensors file.
    """
    try:
        with path.open("rb") as file:
            (header_bytes,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(header_bytes) if header_bytes < 100_000_000 else b"")
        start = 8 + header_bytes
        return {
            name: TensorPlace(
                entry["dtype"],
                tuple(entry["shape"]),
                start + entry["data_offsets"][0],
                entry["data_offsets"][1] - entry["data_offsets"][0],
            )
            for name, entry in header.items()
            if name != "__metadata__"
        }
    except (OSError, struct.error, ValueError, KeyError, TypeError) as error:
        raise TheiaError(
            f"{path} is not a readable safetensors file ({error}); fetch or export it again"
        ) from error


def weights_sha256(path: Path) -> str:
    """Hex sha256 of a weights file; its first 12 digits name an encoder's or a policy's weights.

    Raises:
        TheiaError: if the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise TheiaError(
            f"cannot read weights {path}: {error.strerror}; fetch or export them again"
        ) from error
    return digest.hexdigest()


def write_graph_over_safetensors(
    model: "onnx.ModelProto",
    graph_path: Path,
    weights_path: Path,
    metadata: dict[str, str] | None = None,
) -> None:
    """Write `model` as a graph whose large float32 initializers are float16 in a safetensors file beside it.

    Initializers of up to `INLINE_BYTES` (normalisation statistics, scalars) stay in the graph at full
    precision; the safetensors file holds a float32 copy of them, so that its hash covers every weight.
    Integer initializers belong to the graph alone.

    Args:
        model: ONNX model with all weights as initializers; it is changed in place.
        graph_path: `.onnx` file to write.
        weights_path: `.safetensors` file to write, in the same folder.
        metadata: text entries for the safetensors header.

    Raises:
        TheiaError: if the two files are in different folders, or a weight is not finite as float16.
    """
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise MissingExtraError("onnx", "export") from error
    if graph_path.parent != weights_path.parent:
        raise TheiaError(
            f"{graph_path} and {weights_path} must be in one folder: the graph names the file only"
        )

    graph = model.graph
    arrays: dict[str, np.ndarray] = {}
    large = []
    for initializer in graph.initializer:
        if initializer.data_type != onnx.TensorProto.FLOAT:
            continue
        array = np.ascontiguousarray(numpy_helper.to_array(initializer))
        if array.nbytes > INLINE_BYTES:
            with np.errstate(over="ignore"):
                array = array.astype(np.float16)
            large.append(initializer)
        if not np.isfinite(array).all():
            raise TheiaError(
                f"weight {initializer.name} is not finite as {array.dtype}; it cannot be exported"
            )
        arrays[initializer.name] = array
    save_file(arrays, weights_path, metadata=metadata)
    weights_path.chmod(0o644)  # safetensors creates files that only their owner may read

    places = tensor_places(weights_path)
    casts = []
    for initializer in large:
        name, place = initializer.name, places[initializer.name]
        stored = onnx.TensorProto(
            name=f"{name}.f16", data_type=onnx.TensorProto.FLOAT16, dims=initializer.dims
        )
        stored.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (
            ("location", weights_path.name),
            ("offset", place.offset),
            ("length", place.length),
        ):
            stored.external_data.add(key=key, value=str(value))
        initializer.CopyFrom(stored)
        casts.append(onnx.helper.make_node("Cast", [stored.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    # The exporter's stack traces are not part of the network, and they name the machine it was exported on.
    del model.metadata_props[:]
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        part.doc_string = ""
        del part.metadata_props[:]
    # Shape notes of an initializer that a node now computes would be declared twice.
    kept = [value for value in graph.value_info if value.name not in arrays]
    del graph.value_info[:]
    graph.value_info.extend(kept)
    graph_path.write_bytes(model.SerializeToString())
