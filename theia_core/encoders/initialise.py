"""Start a Theia backbone from another ViT's weights instead of random ones.

`initialise_from_deit` takes a ViT of the same size as it is (paper, Table 6b: 80.8 against 78.9 from
scratch). `select_weights` takes every k-th element of each dimension of a larger one (Xu et al. 2023,
"Initializing Models with Larger Ones"). Neither downloads anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.functional import interpolate

from theia_core.encoders.vit import LAYERS, PATCH, Vit
from theia_core.encoders.vit_file import IMAGENET, VitFile, read_vit_file
from theia_core.errors import TheiaError
from theia_core.images import Preprocessing

_REGISTERS = ("embeddings.register_tokens", "embeddings.register_position_embeddings")


@dataclass(frozen=True)
class Initialisation:
    """What an initialisation did.

    Attributes:
        used: keys of the file whose values went into the backbone.
        left: keys of the file that were not used.
        untouched: parameters of the backbone that kept their values.
    """

    used: tuple[str, ...]
    left: tuple[str, ...]
    untouched: tuple[str, ...]


def initialise_from_deit(
    model: Vit, file: Path, preprocessing: Preprocessing | None = None
) -> Initialisation:
    """Copy the weights of a ViT or DeiT of the same size into `model`.

    Position embeddings of another grid are interpolated and patch kernels of another size resized; registers
    keep their values. The patch kernels absorb the difference between the file's normalisation and Theia's
    (x - 0.5) / 0.5, so that the same picture gives the same tokens.

    Args:
        model: backbone to change.
        file: safetensors file, as `read_vit_file` understands it.
        preprocessing: mean and std behind which the file's network was trained; by default what the file's
            header says, else ImageNet's, as DeiT's are.

    Raises:
        TheiaError: if the file is no ViT, or lacks a weight or has one of another shape; the key is named.
    """
    source = read_vit_file(file)
    tensors = _fitted_embeddings(source, model, preprocessing)
    wanted = {name: tuple(p.shape) for name, p in model.named_parameters() if name not in _REGISTERS}
    if missing := sorted(wanted.keys() - tensors.keys()):
        raise TheiaError(f"{file} lacks {_listed(missing)}; it is no ViT of {LAYERS} blocks with biases")
    if extra := sorted(tensors.keys() - wanted.keys()):
        raise TheiaError(f"{file} has {_listed(extra)}, for which there is no place; it has too many blocks")
    shapes = [
        f"{name} {tuple(tensors[name].shape)} instead of {shape}"
        for name, shape in wanted.items()
        if tuple(tensors[name].shape) != shape
    ]
    if shapes:
        raise TheiaError(
            f"{file} is of another size: {_listed(shapes)}; use a file of the same size, or select_weights "
            "for a larger one"
        )
    return _copy(model, tensors, source, source.used)


def select_weights(
    model: Vit,
    file: Path,
    layers: int | Sequence[int] = LAYERS,
    *,
    heads: int | None = None,
    preprocessing: Preprocessing | None = None,
) -> Initialisation:
    """Fill `model` with evenly spaced elements of a larger ViT.

    Channels of the residual stream and of the MLP are taken evenly spaced, the same channels everywhere;
    attention keeps whole heads, also evenly spaced. Blocks beyond `layers` and registers keep their values.
    The final normalisation is taken only with the source's last block, after which it stood.

    Args:
        model: backbone to change.
        file: safetensors file, as `read_vit_file` understands it.
        layers: the source's first so many blocks, or the indices of the blocks to take in order.
        heads: attention heads of the source; by default what the file's header says, else as many as heads
            of the model's size make its width.
        preprocessing: as for `initialise_from_deit`.

    Raises:
        TheiaError: if the file is no ViT or is smaller than the model, or there are no such layers.
    """
    source = read_vit_file(file)
    config, width = model.config, source.width
    tensors = _fitted_embeddings(source, model, preprocessing)
    chosen = list(range(layers)) if isinstance(layers, int) else list(layers)
    if not 1 <= len(chosen) <= LAYERS or min(chosen) < 0 or max(chosen) >= source.layers:
        raise TheiaError(
            f"layers {layers} cannot be taken: {file} has {source.layers} blocks and Theia {LAYERS}"
        )
    source_heads = heads or source.heads or width * config.heads // config.width
    mlp = len(tensors["encoder.layer.0.intermediate.dense.bias"])
    if width < config.width or source_heads < config.heads or mlp < config.mlp or width % source_heads:
        raise TheiaError(
            f"{file} is a ViT of width {width}, {source_heads} heads and MLP {mlp}; weights are selected "
            f"from one of at least width {config.width}, {config.heads} heads and MLP {config.mlp}"
        )
    channels, hidden = _evenly(width, config.width), _evenly(mlp, config.mlp)
    head_width = width // source_heads
    within = _evenly(head_width, config.width // config.heads)
    inner = (_evenly(source_heads, config.heads)[:, None] * head_width + within).flatten()

    selected: dict[str, torch.Tensor] = {}
    for name in ("cls_token", "position_embeddings"):
        selected[f"embeddings.{name}"] = tensors[f"embeddings.{name}"][..., channels]
    for name in ("weight", "bias"):
        projection = f"embeddings.patch_embeddings.projection.{name}"
        selected[projection] = tensors[projection][channels]
    for target, origin in enumerate(chosen):
        for part, outputs, inputs in (
            ("layernorm_before", channels, None),
            ("layernorm_after", channels, None),
            ("attention.attention.query", inner, channels),
            ("attention.attention.key", inner, channels),
            ("attention.attention.value", inner, channels),
            ("attention.output.dense", channels, inner),
            ("intermediate.dense", hidden, channels),
            ("output.dense", channels, hidden),
        ):
            weight = tensors[f"encoder.layer.{origin}.{part}.weight"]
            if inputs is not None:
                # Scaling by the root of the share that was kept, to keep the variance, made it worse.
                weight = weight[:, inputs]
            selected[f"encoder.layer.{target}.{part}.weight"] = weight[outputs]
            selected[f"encoder.layer.{target}.{part}.bias"] = tensors[f"encoder.layer.{origin}.{part}.bias"][
                outputs
            ]
    if len(chosen) == LAYERS and chosen[-1] == source.layers - 1:
        for name in ("weight", "bias"):
            selected[f"layernorm.{name}"] = tensors[f"layernorm.{name}"][channels]
    return _copy(model, selected, source, source.used)


def resize_kernels(kernels: torch.Tensor, size: int) -> torch.Tensor:
    """Patch kernels (d, 3, p, p) for patches of `size` pixels that give the same tokens of resized patches.

    The pseudo-inverse of a bilinear resize (Beyer et al. 2023, "FlexiViT"): for larger patches the new
    kernel's product with an enlarged patch equals the old kernel's with the patch itself.
    """
    old = kernels.shape[-1]
    if old == size:
        return kernels
    basis = torch.eye(old * old, dtype=torch.float64).reshape(old * old, 1, old, old)
    resized = interpolate(basis, (size, size), mode="bilinear", align_corners=False, antialias=size < old)
    inverse = torch.linalg.pinv(resized.flatten(1))  # (size*size, old*old)
    return (kernels.double().flatten(2) @ inverse.T).unflatten(2, (size, size)).float()


def _fitted_embeddings(
    source: VitFile, model: Vit, preprocessing: Preprocessing | None
) -> dict[str, torch.Tensor]:
    """The source's tensors with patch kernels and position embeddings as Theia's input needs them."""
    tensors = dict(source.tensors)
    fed = preprocessing or source.preprocessing or IMAGENET
    own = Preprocessing()
    mean, std = torch.tensor(fed.mean), torch.tensor(fed.std)
    own_mean, own_std = torch.tensor(own.mean), torch.tensor(own.std)
    projection = "embeddings.patch_embeddings.projection"
    kernels = tensors[f"{projection}.weight"]
    # x_fed = (x_own * own_std + own_mean - mean) / std
    shift = ((own_mean - mean) / std)[:, None, None]
    tensors[f"{projection}.bias"] = tensors[f"{projection}.bias"] + (kernels * shift).sum((1, 2, 3))
    tensors[f"{projection}.weight"] = resize_kernels(kernels * (own_std / std)[:, None, None], PATCH)
    positions = tensors["embeddings.position_embeddings"]
    tensors["embeddings.position_embeddings"] = _resize_positions(positions, model.config.grid)
    return tensors


def _resize_positions(positions: torch.Tensor, grid: int) -> torch.Tensor:
    """Position embeddings (1, 1 + grid*grid, d), CLS first, of those of another square grid."""
    old = round((positions.shape[1] - 1) ** 0.5)
    if old == grid:
        return positions
    maps = positions[:, 1:].transpose(1, 2).unflatten(2, (old, old))  # (1, d, old, old)
    maps = interpolate(maps, (grid, grid), mode="bicubic", align_corners=False, antialias=grid < old)
    return torch.cat([positions[:, :1], maps.flatten(2).transpose(1, 2)], dim=1)


def _evenly(source: int, target: int) -> torch.Tensor:
    """Indices of `target` of `source` elements, evenly spaced from the first on."""
    return torch.arange(target) * source // target


def _copy(
    model: Vit, tensors: Mapping[str, torch.Tensor], source: VitFile, used: tuple[str, ...]
) -> Initialisation:
    """Copy tensors into the parameters of their names."""
    if broken := [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]:
        raise TheiaError(f"{source.path} has weights that are not finite: {_listed(broken)}; fetch it again")
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, tensor in tensors.items():
            parameters[name].copy_(tensor)
    return Initialisation(used, source.left, tuple(name for name in parameters if name not in tensors))


def _listed(names: Sequence[str], most: int = 4) -> str:
    """The first few names and how many there are in all."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
