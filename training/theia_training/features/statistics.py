"""Mean and standard deviation per channel, computed in one pass over a stream of feature maps.

Welford's update, in float64 and for a whole map at once (Chan, Golub and LeVeque 1979), so that two parts of
a data set can be computed apart and merged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from theia_core.errors import TheiaError

# A channel that never changes carries nothing; its deviation must not divide by zero.
STD_FLOOR = 1e-6


@dataclass
class Moments:
    """Running moments of the channels of one teacher.

    Attributes:
        count: values seen per channel (tokens).
        mean: (C,) float64.
        squares: (C,) float64, sum of squared deviations from the mean.
    """

    count: int
    mean: np.ndarray
    squares: np.ndarray

    @classmethod
    def empty(cls, channels: int) -> "Moments":
        """Moments of nothing."""
        return cls(0, np.zeros(channels), np.zeros(channels))

    def update(self, features: np.ndarray) -> None:
        """Take in a map (tokens, C)."""
        values = np.asarray(features, np.float64)
        mean = values.mean(axis=0)
        self.merge(Moments(len(values), mean, np.square(values - mean).sum(axis=0)))

    def merge(self, other: "Moments") -> None:
        """Take in the moments of other maps."""
        total = self.count + other.count
        if other.count == 0:
            return
        delta = other.mean - self.mean
        self.squares = self.squares + other.squares + np.square(delta) * (self.count * other.count / total)
        self.mean = self.mean + delta * (other.count / total)
        self.count = total

    @property
    def std(self) -> np.ndarray:
        """Standard deviation (C,) float64 over everything seen, never below `STD_FLOOR`.

        Raises:
            TheiaError: if nothing was seen.
        """
        if self.count == 0:
            raise TheiaError("no feature map was seen, so there is no standard deviation; extract some first")
        return np.maximum(np.sqrt(self.squares / self.count), STD_FLOOR)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return {"count": self.count, "mean": self.mean.tolist(), "squares": self.squares.tolist()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Moments":
        """Moments from `to_dict`."""
        return cls(int(values["count"]), np.asarray(values["mean"]), np.asarray(values["squares"]))


def merged(parts: Sequence[Moments]) -> Moments:
    """Moments of all parts together.

    Raises:
        TheiaError: if there is no part.
    """
    if not parts:
        raise TheiaError(
            "no finished shard holds a training sample, so there are no statistics; finish the extraction"
        )
    total = Moments.empty(len(parts[0].mean))
    for part in parts:
        total.merge(part)
    return total
