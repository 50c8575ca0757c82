"""Statistics as LeRobotDataset v3 stores them: minimum, maximum, mean, deviation, count and quantiles."""

from collections.abc import Sequence
from typing import Any

import numpy as np

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
_EVERY = 4  # pixels of a frame that are looked at, along each side


def of_vectors(values: np.ndarray) -> dict[str, Any]:
    """Statistics of (T, D) values, along T."""
    values = values.astype(np.float64)
    quantiles = np.quantile(values, list(QUANTILES.values()), axis=0)
    return {
        "min": values.min(axis=0).tolist(),
        "max": values.max(axis=0).tolist(),
        "mean": values.mean(axis=0).tolist(),
        "std": values.std(axis=0).tolist(),
        "count": [len(values)],
        **{name: row.tolist() for name, row in zip(QUANTILES, quantiles, strict=True)},
    }


class FrameStatistics:
    """Statistics of an episode's frames, per channel, of values from 0 to 1, from their histograms."""

    def __init__(self) -> None:
        self._counts = np.zeros((3, 256))
        self._frames = 0

    def add(self, rgb: np.ndarray) -> None:
        """Count one frame (H, W, 3) uint8 RGB."""
        for channel in range(3):
            some = rgb[::_EVERY, ::_EVERY, channel].ravel()
            self._counts[channel] += np.bincount(some, minlength=256)
        self._frames += 1

    def result(self) -> dict[str, Any]:
        """Statistics, each value as (3, 1, 1)."""
        levels = np.arange(256) / 255
        share = self._counts / self._counts.sum(axis=1, keepdims=True)
        mean = share @ levels
        below = np.cumsum(share, axis=1)

        def at(fraction: float) -> np.ndarray:
            return levels[np.argmax(below >= fraction - 1e-12, axis=1)]

        seen = self._counts > 0
        values = {
            "min": levels[np.argmax(seen, axis=1)],
            "max": levels[255 - np.argmax(seen[:, ::-1], axis=1)],
            "mean": mean,
            "std": np.sqrt(np.maximum(share @ levels**2 - mean**2, 0.0)),
            **{name: at(fraction) for name, fraction in QUANTILES.items()},
        }
        return {name: row.reshape(3, 1, 1).tolist() for name, row in values.items()} | {
            "count": [self._frames]
        }


def combined(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Statistics of all episodes from each one's; quantiles are averaged by weight, as LeRobot does."""
    counts = np.array([part["count"][0] for part in parts], np.float64)
    means = np.array([part["mean"] for part in parts])
    weights = (counts / counts.sum()).reshape(-1, *[1] * (means.ndim - 1))
    mean = np.sum(weights * means, axis=0)
    spread = np.array([part["std"] for part in parts]) ** 2 + (means - mean) ** 2
    result = {
        "min": np.min([part["min"] for part in parts], axis=0),
        "max": np.max([part["max"] for part in parts], axis=0),
        "mean": mean,
        "std": np.sqrt(np.sum(weights * spread, axis=0)),
        **{name: np.sum(weights * np.array([p[name] for p in parts]), axis=0) for name in QUANTILES},
    }
    return {name: value.tolist() for name, value in result.items()} | {"count": [int(counts.sum())]}
