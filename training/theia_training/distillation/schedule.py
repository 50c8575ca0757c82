"""Learning rate over a run: linear warm-up, then constant (paper, Table 5) or cosine."""

import math

from theia_training.distillation.config import OptimiserConfig


def learning_rate(config: OptimiserConfig, update: int, updates: int, global_batch: int) -> float:
    """Rate of `update` (from 0) of `updates`, scaled linearly with the global batch."""
    peak = config.learning_rate * global_batch / config.reference_batch
    warmup = round(config.warmup_share * updates)
    if update < warmup:
        return peak * (config.warmup_start + (1 - config.warmup_start) * update / warmup)
    if config.schedule == "constant":
        return peak
    progress = (update - warmup) / max(updates - warmup, 1)
    return peak * 0.5 * (1 + math.cos(math.pi * progress))
