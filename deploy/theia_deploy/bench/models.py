"""What is measured: models by size with made-up weights, or real encoders, and engines of them."""

from dataclasses import dataclass
from pathlib import Path

import onnx

from theia_core.cache import cache_folder
from theia_core.encoders import Encoder
from theia_core.encoders.deterministic import deterministic_model
from theia_core.encoders.theia_checkpoint import save_theia_checkpoint
from theia_core.encoders.theia_variants import TheiaVariant
from theia_core.encoders.vit import LAYERS, PATCH, SIZES
from theia_core.engines.folder import is_engine, read_description
from theia_core.errors import TheiaError
from theia_core.runtimes.torch_theia import TheiaTorchRuntime
from theia_deploy.export import encoder_graph, export_engine, load_checkpoint

# Runtime that is asked for -> kind of engine and precision, or none for torch.
ENGINES = {
    "torch": None,
    "torch-cuda": None,
    "onnxruntime": ("onnx", "fp32"),
    "onnxruntime-int8": ("onnx-int8", "int8"),
    "onnxruntime-cuda": ("onnx", "fp16"),
    "onnxruntime-tensorrt": ("onnx", "fp16"),
    "tensorrt": ("tensorrt", "fp16"),
}


@dataclass(frozen=True)
class BenchModel:
    """One model.

    Attributes:
        name: as it was asked for.
        checkpoint: in torch.
        place: what `load_encoder` takes for it.
        macs: multiplications and additions of one image, counted in pairs.
        weight_bytes: of its parameters in float32, as torch holds them.
    """

    name: str
    checkpoint: Encoder
    place: str
    macs: int
    weight_bytes: int


def bench_model(name: str, threads: int) -> BenchModel:
    """A model by size ("tiny", "small", "base", with deterministic weights), shipped name or folder.

    Raises:
        TheiaError: if it cannot be loaded, or is no Theia model.
    """
    place = name
    if name in SIZES:
        folder = cache_folder("bench", f"deterministic-{name}")
        if not (folder / "model.safetensors").is_file():
            variant = TheiaVariant(f"deterministic-{name}", name, {})
            save_theia_checkpoint(deterministic_model(variant), folder)
        place = str(folder)
    checkpoint = load_checkpoint(place, threads=threads)
    runtime = checkpoint.runtime
    if not isinstance(runtime, TheiaTorchRuntime):
        raise TheiaError(f"{name} is no Theia model; theia bench measures those")
    backbone = runtime.model.backbone.model
    parameters = sum(parameter.numel() for parameter in backbone.parameters())
    return BenchModel(name, checkpoint, place, macs_of(runtime.model.variant), 4 * parameters)


def macs_of(variant: TheiaVariant) -> int:
    """Multiply-accumulates of one 224x224 image: 1.26 G of Tiny, 4.6 G of Small, 17.6 G of Base."""
    config = SIZES[variant.size]
    patches = config.grid**2
    tokens, width = patches + 1 + variant.registers, config.width
    block = 4 * tokens * width**2 + 2 * tokens * width * config.mlp + 2 * tokens**2 * width
    return LAYERS * block + patches * 3 * PATCH**2 * width


def engine_of(model: BenchModel, runtime: str, graphs: dict[str, onnx.ModelProto]) -> str:
    """What a worker loads for a runtime: the checkpoint, or an engine, exported if it was not before.

    Args:
        model: what to run.
        runtime: key of `ENGINES`.
        graphs: exported graphs by model, which this adds to.

    Raises:
        TheiaError: if the engine cannot be built here.
    """
    wanted = ENGINES[runtime]
    if wanted is None:
        return model.place
    kind, precision = wanted
    name = model.checkpoint.encoder_id.replace("@", "-")
    folder: Path = cache_folder("bench", f"{name}-{kind}-{precision}")
    if is_engine(folder) and read_description(folder).checkpoint_sha256 == model.checkpoint.weights_sha256:
        return str(folder)
    if model.name not in graphs:
        graphs[model.name] = encoder_graph(model.checkpoint)
    export_engine(model.checkpoint, folder, kind, precision=precision, graph=graphs[model.name])
    return str(folder)


def weight_bytes_of(model: BenchModel, place: str) -> int:
    """Bytes of weights that a run reads: a checkpoint in float32, an engine as its graph stores them."""
    folder = Path(place)
    if not is_engine(folder):
        return model.weight_bytes
    return sum(file.stat().st_size for file in folder.glob("model.*"))
