"""The registry: names of encoders, and how each becomes a loaded `Encoder`."""

from pathlib import Path

import theia_core
from theia_core.encoders.encoder import Encoder
from theia_core.encoders.spec import EncoderSpec, read_encoder_json
from theia_core.errors import TheiaError
from theia_core.runtimes.safetensors_graph import weights_sha256

RUNTIMES = ("auto", "onnxruntime", "torch")


def shipped_folder() -> Path:
    """Folder with one subfolder per encoder that ships with the library."""
    return Path(theia_core.__file__).parent / "models" / "encoders"


def list_encoders() -> list[EncoderSpec]:
    """Encoders that `load_encoder` knows by name without a file from elsewhere, sorted by name."""
    folders = sorted(path.parent for path in shipped_folder().glob("*/encoder.json"))
    return [read_encoder_json(folder)[0] for folder in folders]


def load_encoder(
    name_or_path: str | Path, runtime: str = "auto", variant: str | None = None, *, threads: int = 2
) -> Encoder:
    """Load an encoder by its shipped name or from disk; nothing is ever downloaded.

    Args:
        name_or_path: name from `list_encoders`, or an encoder's folder.
        runtime: "onnxruntime", "torch", or "auto" for whichever this encoder has.
        variant: architecture of the weights, for files that do not say it themselves.
        threads: CPU threads of the network.

    Raises:
        TheiaError: if the name is unknown, the folder is incomplete, the weights are not the ones its
            `encoder.json` names, or the runtime cannot run this encoder.
    """
    if runtime not in RUNTIMES:
        raise TheiaError(f"unknown runtime {runtime!r}; choose one of {', '.join(RUNTIMES)}")
    name = str(name_or_path)
    shipped = shipped_folder() / name
    if "/" not in name and (shipped / "encoder.json").is_file():
        return _load_graph_folder(shipped, runtime, threads)
    path = Path(name_or_path)
    if (path / "encoder.json").is_file():
        return _load_graph_folder(path, runtime, threads)
    names = ", ".join(spec.name for spec in list_encoders())
    if path.is_dir():
        raise TheiaError(f"{path} holds no encoder: it has no encoder.json")
    raise TheiaError(f"unknown encoder {name!r}; choose one of {names}, or give an encoder's folder")


def _load_graph_folder(folder: Path, runtime: str, threads: int) -> Encoder:
    """Encoder of a folder with `encoder.json`, an ONNX graph and safetensors weights."""
    spec, entries = read_encoder_json(folder)
    if runtime == "torch":
        raise TheiaError(
            f"{spec.name} is an ONNX graph and does not run on torch; use the runtime 'onnxruntime'"
        )
    weights_hash = weights_sha256(folder / str(entries.get("weights", "model.safetensors")))
    expected = entries.get("weights_sha256")
    if expected != weights_hash:
        raise TheiaError(
            f"the weights in {folder} have sha256 {weights_hash[:12]}... but its encoder.json names "
            f"{str(expected)[:12]}...; restore both files from one version"
        )
    from theia_core.runtimes.onnx_session import OnnxEncoderRuntime

    graph = OnnxEncoderRuntime(folder / str(entries.get("graph", "model.onnx")), threads)
    return Encoder(spec, weights_hash, graph)
