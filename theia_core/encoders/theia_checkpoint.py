"""Theia checkpoints on disk: loaded strictly, offline and without transformers, saved in the released layout.

A checkpoint is a folder with model.safetensors and config.json; a shipped encoder keeps its translators
apart, in translators.safetensors.
"""

import json
from collections.abc import Collection
from pathlib import Path

import torch
from safetensors.torch import load_file, save

from theia_core.encoders.encoder import Encoder
from theia_core.encoders.spec import EncoderSpec
from theia_core.encoders.theia import TheiaModel
from theia_core.encoders.theia_variants import (
    RELEASED,
    TheiaVariant,
    config_of_variant,
    released_variant,
    variant_of_config,
)
from theia_core.encoders.vit import SIZES, VitConfig
from theia_core.errors import TheiaError
from theia_core.files import whole_file
from theia_core.images import Preprocessing
from theia_core.runtimes.safetensors_graph import tensor_places, weights_sha256
from theia_core.runtimes.torch_theia import TheiaTorchRuntime

WEIGHTS, TRANSLATORS, CONFIG = "model.safetensors", "translators.safetensors", "config.json"


def load_theia_encoder(path: Path, variant: str | None, threads: int, device: str = "cpu") -> Encoder:
    """Encoder of a Theia checkpoint.

    Args:
        path: folder with model.safetensors and config.json, or a safetensors file.
        variant: released name that says the architecture; needed where no config.json lies beside the
            weights.
        threads: CPU threads of the network.
        device: torch device.

    Raises:
        TheiaError: if a file is absent, its keys or shapes are not exactly those of the variant, or torch
            sees no such device.
    """
    weights = path / WEIGHTS if path.is_dir() else path
    if not weights.is_file():
        raise TheiaError(f"no weights at {weights}; put the checkpoint's {WEIGHTS} there")
    if variant is not None:
        layout = released_variant(variant)
    elif (weights.parent / CONFIG).is_file():
        layout = variant_of_config(weights.parent / CONFIG)
    else:
        raise TheiaError(
            f"nothing says which architecture {weights} has; put its {CONFIG} beside it, or give variant=, "
            "such as 'theia-tiny-patch16-224-cdiv'"
        )
    model = load_theia_model(weights, layout)
    return Encoder(spec_of(layout), weights_sha256(weights), TheiaTorchRuntime(model, threads, device))


def load_theia_model(weights: Path, variant: TheiaVariant) -> TheiaModel:
    """Model of `variant` with the weights of a safetensors file, in eval mode.

    A shipped encoder's model.safetensors holds the backbone alone; its translators lie beside it in
    translators.safetensors and are loaded too.

    Raises:
        TheiaError: naming the keys that are missing, unexpected or there twice, or whose shapes differ.
    """
    beside = weights.parent / TRANSLATORS
    files = [weights, *([beside] if weights.name == WEIGHTS and beside.is_file() else [])]
    stored: dict[str, tuple[int, ...]] = {}
    for file in files:
        shapes_of = {name: place.shape for name, place in tensor_places(file).items()}
        if twice := sorted(stored.keys() & shapes_of.keys()):
            raise TheiaError(f"{file} and {weights.name} both hold {_listed(twice)}; remove one of the files")
        stored |= shapes_of
    # Weights come from the file alone, so no memory and no time is spent on random ones.
    with torch.device("meta"):
        model = TheiaModel(variant).eval()
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    complaints = []
    if missing := sorted(expected.keys() - stored.keys()):
        complaints.append(f"lacks {_listed(missing)}")
    if unexpected := sorted(stored.keys() - expected.keys()):
        complaints.append(f"has the unexpected {_listed(unexpected)}")
    shapes = [
        f"{name} {stored[name]} instead of {shape}"
        for name, shape in expected.items()
        if name in stored and stored[name] != shape
    ]
    if shapes:
        complaints.append(f"has other shapes: {_listed(shapes)}")
    if complaints:
        raise TheiaError(f"{weights} is not a {variant.name} checkpoint: it {'; it '.join(complaints)}")
    tensors = {name: tensor.float() for file in files for name, tensor in load_file(file).items()}
    model.load_state_dict(tensors, assign=True)
    return model


def save_theia_checkpoint(model: TheiaModel, folder: Path, dtype: torch.dtype = torch.float32) -> None:
    """Write a model as a folder in the released layout, from which `load_theia_encoder` loads it again.

    Each of the two files is replaced at once, so a kill leaves a whole old or a whole new one.

    Args:
        model: model of any variant, on any device.
        folder: folder to write into; it is made if absent.
        dtype: type of the stored weights; loading makes float32 of them.

    Raises:
        TheiaError: if a weight is not finite in `dtype`, or the folder cannot be written.
    """
    tensors = {name: tensor.detach().to(dtype).cpu() for name, tensor in model.state_dict().items()}
    if broken := [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]:
        raise TheiaError(f"not finite as {dtype}: {_listed(broken)}; the model cannot be saved")
    content = save({name: tensor.contiguous() for name, tensor in tensors.items()}, {"format": "pt"})
    config = json.dumps(config_of_variant(model.variant), indent=2) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in ((WEIGHTS, content), (CONFIG, config.encode())):
            with whole_file(folder / name) as file:
                file.write(data)
    except OSError as error:
        raise TheiaError(f"cannot write a checkpoint to {folder}: {error.strerror}") from error


def spec_of(variant: TheiaVariant) -> EncoderSpec:
    """What is known of a variant's encoder."""
    config: VitConfig = SIZES[variant.size]
    teachers = f"distilled from {', '.join(variant.targets)}" if variant.targets else "without translators"
    return EncoderSpec(
        name=variant.name,
        grid=(config.grid, config.grid),
        channels=config.width,
        preprocessing=Preprocessing(config.image_size),
        licence=(
            "that of the released Theia weights: non-commercial research only"
            if variant.name in RELEASED
            else "not stated by the checkpoint"
        ),
        description=f"Theia, ViT-{variant.size} with 16-pixel patches, {teachers}",
        special_tokens=1 + variant.registers,
        has_cls=True,
        source="a local checkpoint",
    )


def _listed(names: Collection[str], most: int = 4) -> str:
    """The first few names and how many there are in all."""
    shown = list(names)[:most]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(shown) + more
