"""Theia models whose weights anyone can make again from their names: for golden tests and for benchmarks.

The tokens mean nothing, and they are not those of any trained encoder; speed does not depend on that.
"""

import zlib

import numpy as np
import torch
from torch import nn

from theia_core.encoders.theia import TheiaModel
from theia_core.encoders.theia_variants import TheiaVariant


def deterministic_weight(module: nn.Module | None, key: str, shape: tuple[int, ...]) -> np.ndarray:
    """Weight of a state-dict key: normal numbers seeded with the key, scaled by the kind of weight."""
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(key.encode())))
    values = generator.standard_normal(shape, dtype=np.float32)
    if key.endswith("bias"):
        return 0.05 * values
    if isinstance(module, nn.LayerNorm):
        return 1 + 0.1 * values
    if isinstance(module, nn.ConvTranspose2d):
        return values / np.sqrt(shape[0] * 9)
    if isinstance(module, nn.Linear | nn.Conv2d):
        return values / np.sqrt(np.prod(shape[1:]))
    return 0.05 * values


def deterministic_model(variant: TheiaVariant) -> TheiaModel:
    """Model of `variant` in eval mode with deterministic weights."""
    with torch.device("meta"):
        model = TheiaModel(variant).eval()
    modules = dict(model.named_modules())
    weights = {}
    for key, tensor in model.state_dict().items():
        weight = deterministic_weight(modules.get(key.rpartition(".")[0]), key, tuple(tensor.shape))
        weights[key] = torch.from_numpy(weight.astype(np.float32))
    model.load_state_dict(weights, assign=True)
    return model
