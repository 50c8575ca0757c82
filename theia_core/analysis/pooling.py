"""One vector per image out of its tokens."""

import numpy as np

from theia_core.encoders.spec import EncoderSpec
from theia_core.errors import TheiaError

POOLS = ("mean", "max", "quadrants", "cls")


def pooled(tokens: np.ndarray, spec: EncoderSpec) -> dict[str, np.ndarray]:
    """Every pooling of all tokens (T, d) of one image, special tokens first.

    Returns:
        float32 vectors: "mean" and "max" (d,) over the spatial tokens, "quadrants" (4d,) the means of the
        four quarters of the image, which keeps coarse places, and "cls" (d,) if the encoder has a CLS
        token.
    """
    spatial = tokens[spec.special_tokens :].astype(np.float32)
    height, width = spec.grid
    grid = spatial.reshape(height, width, -1)
    rows = slice(0, -(-height // 2)), slice(height // 2, None)
    columns = slice(0, -(-width // 2)), slice(width // 2, None)
    quarters = [grid[row, column].mean(axis=(0, 1)) for row in rows for column in columns]
    vectors = {
        "mean": spatial.mean(axis=0),
        "max": spatial.max(axis=0),
        "quadrants": np.concatenate(quarters),
    }
    if spec.has_cls:
        vectors["cls"] = tokens[0].astype(np.float32)
    return vectors


def check_pool(pool: str, spec: EncoderSpec) -> str:
    """Return `pool`.

    Raises:
        TheiaError: if there is no such pooling, or this encoder has no CLS token.
    """
    if pool not in POOLS:
        raise TheiaError(f"unknown pooling {pool!r}; choose one of {', '.join(POOLS)}")
    if pool == "cls" and not spec.has_cls:
        raise TheiaError(f"{spec.name} has no CLS token; pool its tokens by mean, max or quadrants")
    return pool
