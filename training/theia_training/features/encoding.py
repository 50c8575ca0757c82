"""How one feature map is stored: bfloat16, or 8 bits with a scale per image and channel.

Maps are stored token-major, (h*w, C), which is the order in which translators predict them.
"""

import torch

from theia_core.errors import TheiaError

ENCODINGS = ("bf16", "u8")
SCALE = ".scale"
CLS = ".cls"
_LEVELS = 255


def check_encoding(encoding: str) -> str:
    """Return `encoding`.

    Raises:
        TheiaError: if there is no such encoding.
    """
    if encoding not in ENCODINGS:
        raise TheiaError(f"unknown feature encoding {encoding!r}; choose one of {', '.join(ENCODINGS)}")
    return encoding


def encode(name: str, features: torch.Tensor, encoding: str) -> dict[str, torch.Tensor]:
    """Tensors that store one map.

    Args:
        name: the teacher's name, under which the tensors are stored.
        features: (h*w, C) float32.
        encoding: "bf16", or "u8": x = low + level * step, with low and step per channel.

    Returns:
        {name: (h*w, C) bfloat16}, or {name: (h*w, C) uint8, name + ".scale": (2, C) float32 of low and step}.
    """
    if check_encoding(encoding) == "bf16":
        return {name: features.to(torch.bfloat16).contiguous()}
    low, high = features.amin(dim=0), features.amax(dim=0)
    step = (high - low) / _LEVELS
    safe = torch.where(step > 0, step, torch.ones_like(step))
    levels = ((features - low) / safe).round_().clamp_(0, _LEVELS).to(torch.uint8)
    return {name: levels.contiguous(), name + SCALE: torch.stack([low, step])}


def decode(name: str, tensors: dict[str, torch.Tensor]) -> torch.Tensor:
    """The map (h*w, C), or a stack of them (B, h*w, C), as float32; the inverse of `encode`."""
    stored = tensors[name]
    if stored.dtype != torch.uint8:
        return stored.float()
    low, step = tensors[name + SCALE].unbind(-2)
    return torch.addcmul(low.unsqueeze(-2), stored.float(), step.unsqueeze(-2))


def bytes_per_map(tokens: int, channels: int, encoding: str) -> int:
    """Size of one stored map in bytes."""
    if check_encoding(encoding) == "bf16":
        return 2 * tokens * channels
    return tokens * channels + 2 * 4 * channels
