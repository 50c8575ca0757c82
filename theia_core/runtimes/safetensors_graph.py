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
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import save_file

from theia_core.errors import MissingExtraError, TheiaError
from theia_core.files import file_sha256

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
    try:
        return file_sha256(path)
    except OSError as error:
        raise TheiaError(
            f"cannot read weights {path}: {error.strerror}; fetch or export them again"
        ) from error


def write_graph_over_safetensors(
    model: "onnx.ModelProto",
    graph_path: Path,
    weights_path: Path,
    metadata: dict[str, str] | None = None,
    tensors: Mapping[str, np.ndarray] | None = None,
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
        tensors: name -> float32 array, what the file is to hold and under which names. Each large initializer
            must equal one of them or, as exporters turn linear layers around, its transpose, which the graph
            then undoes. By default the file holds the initializers under their own names.

    Raises:
        TheiaError: if the two files are in different folders, a weight is not finite as float16, or a large
            initializer is none of `tensors`.
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
    floats = {
        initializer.name: np.ascontiguousarray(numpy_helper.to_array(initializer))
        for initializer in graph.initializer
        if initializer.data_type == onnx.TensorProto.FLOAT
    }
    stored = {
        name: _as_stored(name, array) for name, array in (floats if tensors is None else tensors).items()
    }
    save_file(stored, weights_path, metadata=metadata)
    weights_path.chmod(0o644)  # safetensors creates files that only their owner may read

    places = tensor_places(weights_path)
    large = {name for name, array in floats.items() if array.nbytes > INLINE_BYTES}
    origins = {name: (name, False) for name in large} if tensors is None else _find(floats, large, tensors)
    nodes = []
    kept = [initializer for initializer in graph.initializer if initializer.name not in large]
    for origin in sorted({name for name, _ in origins.values()}):
        place = places[origin]
        external = onnx.TensorProto(
            name=f"{origin}.f16", data_type=onnx.TensorProto.FLOAT16, dims=place.shape
        )
        external.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (
            ("location", weights_path.name),
            ("offset", place.offset),
            ("length", place.length),
        ):
            external.external_data.add(key=key, value=str(value))
        kept.append(external)
    for name, (origin, transposed) in origins.items():
        cast = f"{name}.turned" if transposed else name
        nodes.append(onnx.helper.make_node("Cast", [f"{origin}.f16"], [cast], to=onnx.TensorProto.FLOAT))
        if transposed:
            nodes.append(onnx.helper.make_node("Transpose", [cast], [name], perm=[1, 0]))
    nodes += graph.node
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
    # The exporter's stack traces are not part of the network, and they name the machine it was exported on.
    del model.metadata_props[:]
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        part.doc_string = ""
        del part.metadata_props[:]
    # Shape notes of an initializer that a node now computes would be declared twice.
    notes = [value for value in graph.value_info if value.name not in floats]
    del graph.value_info[:]
    graph.value_info.extend(notes)
    graph_path.write_bytes(model.SerializeToString())


def _as_stored(name: str, array: np.ndarray) -> np.ndarray:
    """A float32 array as the weights file holds it: float16 unless it is small."""
    if array.nbytes > INLINE_BYTES:
        with np.errstate(over="ignore"):
            array = array.astype(np.float16)
    if not np.isfinite(array).all():
        raise TheiaError(f"weight {name} is not finite as {array.dtype}; it cannot be exported")
    return np.ascontiguousarray(array)


def _find(
    floats: Mapping[str, np.ndarray], large: Collection[str], tensors: Mapping[str, np.ndarray]
) -> dict[str, tuple[str, bool]]:
    """Initializer -> which of `tensors` it is, and whether transposed; found by their values."""
    known: dict[tuple[tuple[int, ...], bytes], tuple[str, bool]] = {}
    for name, array in tensors.items():
        if array.ndim == 2:
            known.setdefault(_content(array.T), (name, True))
    for name, array in tensors.items():
        known[_content(array)] = (name, False)
    origins = {}
    for name in sorted(large):
        if _content(floats[name]) not in known:
            raise TheiaError(
                f"initializer {name} {floats[name].shape} is none of the model's weights: the exporter has "
                "computed it from several; export the model without that optimisation"
            )
        origins[name] = known[_content(floats[name])]
    return origins


def _content(array: np.ndarray) -> tuple[tuple[int, ...], bytes]:
    return array.shape, hashlib.sha256(np.ascontiguousarray(array).tobytes()).digest()
