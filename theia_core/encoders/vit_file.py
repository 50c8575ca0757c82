"""A Vision Transformer's weights from a file by others, brought to the layout of `Vit`.

Understood are timm's names (`blocks.0.attn.qkv.weight`; DeiT's and DINOv2's own files have them too) and
Hugging Face's for ViT, DeiT and DINOv2 (`vit.encoder.layer.0.attention.attention.query.weight`), with any
prefix. Fused query, key and value are split, LayerScale is folded into the projection before it, and a
distillation token is dropped with its position.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from theia_core.errors import TheiaError
from theia_core.images import Preprocessing

IMAGENET = Preprocessing(224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

_PREFIX = re.compile(r"^(?:(?:module|backbone|model|vit|deit|dinov2)\.)+")
_LAYER = r"(?:blocks|encoder\.layer)\.(\d+)\."
# Pattern of a name in the file -> name in `Vit`; "scale" and "qkv" do not outlive reading.
_RENAMES = [
    (re.compile(rf"^{pattern}$"), name)
    for pattern, name in (
        (r"(?:embeddings\.)?cls_token", "embeddings.cls_token"),
        (r"pos_embed|embeddings\.position_embeddings", "embeddings.position_embeddings"),
        (
            r"(?:patch_embed\.proj|embeddings\.patch_embeddings\.projection)\.(\w+)",
            r"embeddings.patch_embeddings.projection.\1",
        ),
        (_LAYER + r"(?:norm1|layernorm_before)\.(\w+)", r"encoder.layer.\1.layernorm_before.\2"),
        (_LAYER + r"(?:norm2|layernorm_after)\.(\w+)", r"encoder.layer.\1.layernorm_after.\2"),
        (_LAYER + r"attn\.qkv\.(\w+)", r"encoder.layer.\1.attention.attention.qkv.\2"),
        (
            _LAYER + r"attention\.attention\.(query|key|value)\.(\w+)",
            r"encoder.layer.\1.attention.attention.\2.\3",
        ),
        (
            _LAYER + r"(?:attn\.proj|attention\.output\.dense)\.(\w+)",
            r"encoder.layer.\1.attention.output.dense.\2",
        ),
        (_LAYER + r"(?:ls1\.gamma|layer_scale1\.lambda1)", r"encoder.layer.\1.attention.output.scale"),
        (_LAYER + r"(?:mlp\.fc1|intermediate\.dense)\.(\w+)", r"encoder.layer.\1.intermediate.dense.\2"),
        (_LAYER + r"(?:mlp\.fc2|output\.dense)\.(\w+)", r"encoder.layer.\1.output.dense.\2"),
        (_LAYER + r"(?:ls2\.gamma|layer_scale2\.lambda1)", r"encoder.layer.\1.output.scale"),
        (r"(?:norm|layernorm)\.(\w+)", r"layernorm.\1"),
    )
]
_DISTILLATION = re.compile(r"^(?:dist_token|embeddings\.distillation_token)$")
_LEFT = re.compile(
    r"^(?:(?:head|head_dist|fc_norm|pre_logits|pooler|classifier|\w+_classifier|translator)\..*"
    r"|(?:embeddings\.)?(?:mask_token|register_tokens|reg_token|register_position_embeddings))$"
)


@dataclass(frozen=True)
class VitFile:
    """Weights of a ViT under the names of `Vit`.

    Attributes:
        path: where they come from, for messages.
        tensors: name in `Vit` -> float32 weight; the position embeddings are (1, 1 + h*w, d), CLS first.
        used: keys of the file that `tensors` were made of.
        left: keys of the file that a backbone has no use for: heads, distillation, mask and register tokens.
        preprocessing: mean and std behind which the network was trained, None where the file does not say.
        heads: attention heads, None where the file does not say.
    """

    path: Path
    tensors: Mapping[str, torch.Tensor]
    used: tuple[str, ...]
    left: tuple[str, ...]
    preprocessing: Preprocessing | None
    heads: int | None

    @property
    def width(self) -> int:
        """Channels of a token."""
        return int(self.tensors["embeddings.cls_token"].shape[-1])

    @property
    def layers(self) -> int:
        """Number of blocks."""
        return 1 + max(int(name.split(".")[2]) for name in self.tensors if name.startswith("encoder.layer."))


def read_vit_file(path: Path) -> VitFile:
    """Read the weights of a ViT from a safetensors file.

    Raises:
        TheiaError: if the file cannot be read, holds keys that no ViT has (they are named), or its position
            embeddings are not those of a square grid.
    """
    try:
        stored = load_file(path)
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
        preprocessing = (
            Preprocessing.from_dict(json.loads(header["preprocessing"]))
            if "preprocessing" in header
            else None
        )
        heads = int(header["heads"]) if "heads" in header else None
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise TheiaError(
            f"{path} is not a readable safetensors file of a ViT ({error}); convert or fetch it again"
        ) from error
    tensors: dict[str, torch.Tensor] = {}
    used, left, unknown, distilled = [], [], [], False
    for key, tensor in stored.items():
        name = _PREFIX.sub("", key)
        distilled |= bool(_DISTILLATION.match(name))
        if _DISTILLATION.match(name) or _LEFT.match(name):
            left.append(key)
            continue
        renamed = _renamed(name)
        if renamed is None:
            unknown.append(key)
        elif renamed in tensors:
            raise TheiaError(
                f"{path} holds {renamed} twice, the second time as {key}; keep one network in it"
            )
        else:
            tensors[renamed] = tensor.float()
            used.append(key)
    if unknown:
        listed = ", ".join(unknown[:4]) + (f" and {len(unknown) - 4} more" if len(unknown) > 4 else "")
        raise TheiaError(f"{path} holds weights that a ViT has not: {listed}; give a file of a ViT or DeiT")
    for name in (
        "embeddings.cls_token",
        "embeddings.position_embeddings",
        "encoder.layer.0.output.dense.weight",
    ):
        if name not in tensors:
            raise TheiaError(f"{path} lacks {name}; give a file of a ViT or DeiT")
    _split_qkv(tensors)
    _fold_layer_scale(tensors)
    positions = tensors["embeddings.position_embeddings"]
    tensors["embeddings.position_embeddings"] = _with_cls_first(positions, distilled, path)
    return VitFile(path, tensors, tuple(used), tuple(left), preprocessing, heads)


def _renamed(name: str) -> str | None:
    for pattern, template in _RENAMES:
        if found := pattern.match(name):
            return found.expand(template)
    return None


def _split_qkv(tensors: dict[str, torch.Tensor]) -> None:
    for name in [name for name in tensors if ".qkv." in name]:
        for part, tensor in zip(("query", "key", "value"), tensors.pop(name).chunk(3), strict=True):
            tensors[name.replace(".qkv.", f".{part}.")] = tensor


def _fold_layer_scale(tensors: dict[str, torch.Tensor]) -> None:
    """Scale the projection's rows instead of its output."""
    for name in [name for name in tensors if name.endswith(".scale")]:
        scale, dense = tensors.pop(name), name.removesuffix("scale") + "dense"
        tensors[f"{dense}.weight"] = scale[:, None] * tensors[f"{dense}.weight"]
        tensors[f"{dense}.bias"] = scale * tensors[f"{dense}.bias"]


def _with_cls_first(positions: torch.Tensor, distilled: bool, path: Path) -> torch.Tensor:
    """Positions (1, 1 + h*w, d) of CLS and a square grid; zero for CLS where the file has none for it."""
    count, special = positions.shape[1], 2 if distilled else 1
    if round((count - special) ** 0.5) ** 2 == count - special:
        return torch.cat([positions[:, :1], positions[:, special:]], dim=1)
    if round(count**0.5) ** 2 == count:
        return torch.cat([torch.zeros_like(positions[:, :1]), positions], dim=1)
    raise TheiaError(f"{path} has {count} position embeddings, which no square grid has; it cannot be used")
