"""The registry: names of encoders, and how each becomes a loaded `Encoder`."""

from pathlib import Path

import theia_core
from theia_core.encoders.encoder import Encoder
from theia_core.encoders.spec import EncoderSpec, read_encoder_json
from theia_core.encoders.theia_variants import RELEASED
from theia_core.errors import MissingExtraError, TheiaError
from theia_core.runtimes.safetensors_graph import weights_sha256

RUNTIMES = (
    "auto",
    "onnxruntime",
    "onnxruntime-cuda",
    "onnxruntime-tensorrt",
    "tensorrt",
    "tensorrt-rtx",
    "torch",
    "torch-cuda",
)
ON_TORCH = {"torch": "cpu", "torch-cuda": "cuda"}  # runtime -> device


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
        name_or_path: name from `list_encoders`, an encoder's or an exported engine's folder, or a safetensors
            file of Theia weights.
        runtime: one of `RUNTIMES`; "auto" is onnxruntime on the CPU or torch, whichever this encoder has, and
            for an engine the runtime that it was exported for. `theia_core.engines.choice` measures instead.
        variant: released name that says the architecture of Theia weights without a config.json.
        threads: CPU threads of the network.

    Raises:
        TheiaError: if the name is unknown, the folder is incomplete, the weights are not the ones its
            `encoder.json` names, the runtime cannot run this encoder, or an engine has no certificate that
            passes and holds on this machine.
    """
    if runtime not in RUNTIMES:
        raise TheiaError(f"unknown runtime {runtime!r}; choose one of {', '.join(RUNTIMES)}")
    name, path = str(name_or_path), Path(name_or_path)
    from theia_core.engines.folder import is_engine  # here, as engines are made of encoders
    from theia_core.engines.opening import load_engine

    if is_engine(path) and not (path.name == name and (shipped_folder() / name).is_dir()):
        if variant is not None:
            raise TheiaError(f"{path} is an exported engine; variant is for a file of Theia weights only")
        return load_engine(path, runtime, threads=threads)
    if folder := _described_folder(name_or_path):
        if variant is not None:
            raise TheiaError(f"{folder} describes itself; variant is for a file of Theia weights only")
        return _load_graph_folder(folder, runtime, threads)
    if path.suffix == ".safetensors" or (path / "model.safetensors").is_file():
        return _load_theia(path, runtime, variant, threads)
    if name in RELEASED:
        raise TheiaError(
            f"{name} does not ship with this library and is never downloaded: get its model.safetensors "
            "and config.json from its authors, under their licence, and give the folder instead of the name"
        )
    if path.is_dir():
        raise TheiaError(f"{path} holds no encoder: neither an encoder.json nor a model.safetensors")
    names = ", ".join(spec.name for spec in list_encoders())
    raise TheiaError(f"unknown encoder {name!r}; choose one of {names}, or give an encoder's folder")


def runs_on_torch(name_or_path: str | Path) -> bool:
    """Whether torch runs, and so can train, what `load_encoder` finds here: it is more than an ONNX graph."""
    folder = _described_folder(name_or_path)
    return folder is None or (folder / "config.json").is_file()


def _described_folder(name_or_path: str | Path) -> Path | None:
    """Folder with an encoder.json: a shipped one of this name before one on disk."""
    name, path = str(name_or_path), Path(name_or_path)
    for folder in (shipped_folder() / path.name, path) if path.name == name else (path,):
        if (folder / "encoder.json").is_file():
            return folder
    return None


def _load_theia(path: Path, runtime: str, variant: str | None, threads: int) -> Encoder:
    """Encoder of a Theia checkpoint, which needs torch."""
    if runtime not in ("auto", *ON_TORCH):
        raise TheiaError(
            f"{path} is a torch checkpoint and does not run on {runtime}; use the runtime 'torch', or export "
            f"it first: theia export {path} --to onnx"
        )
    try:
        from theia_core.encoders.theia_checkpoint import load_theia_encoder
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError("torch", "train") from error
    return load_theia_encoder(path, variant, threads, ON_TORCH.get(runtime, "cpu"))


def _load_graph_folder(folder: Path, runtime: str, threads: int) -> Encoder:
    """Encoder of a folder with `encoder.json`, an ONNX graph and safetensors weights.

    Where the weights are a Theia checkpoint's, which its config.json says, torch can run them too.
    """
    spec, entries = read_encoder_json(folder)
    if runtime in ON_TORCH and not runs_on_torch(folder):
        raise TheiaError(
            f"{spec.name} is an ONNX graph and does not run on torch; use the runtime 'onnxruntime'"
        )
    weights_hash = weights_sha256(folder / str(entries.get("weights", "model.safetensors")))
    _check_hash(folder, weights_hash, entries.get("weights_sha256"))
    if runtime in ON_TORCH:
        if "translators_sha256" in entries:
            translators = weights_sha256(folder / "translators.safetensors")
            _check_hash(folder, translators, entries["translators_sha256"])
        return Encoder(spec, weights_hash, _load_theia(folder, runtime, None, threads).runtime)
    from theia_core.engines.opening import open_graph

    largest_batch = int(entries.get("largest_batch", 1))
    graph = folder / str(entries.get("graph", "model.onnx"))
    return Encoder(spec, weights_hash, open_graph(graph, runtime, spec, threads, largest_batch))


def _check_hash(folder: Path, found: str, expected: object) -> None:
    if expected != found:
        raise TheiaError(
            f"the weights in {folder} have sha256 {found[:12]}... but its encoder.json names "
            f"{str(expected)[:12]}...; restore both files from one version"
        )
