"""Correlation of two measures over a few things, with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from theia_core.errors import TheiaError

FEWEST = 4


@dataclass(frozen=True)
class Correlation:
    """A correlation coefficient.

    Attributes:
        r: the coefficient.
        ci95: its 95 % interval.
        n: number of points.
    """

    r: float
    ci95: tuple[float, float]
    n: int


def pearson(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """Pearson's r with the interval of Fisher's z.

    Args:
        x: one measure of each thing.
        y: the other.

    Raises:
        TheiaError: if there are fewer than four points, for which there is no interval, or one measure does
            not vary.
    """
    return _correlation(np.asarray(x, float), np.asarray(y, float), 1.0)


def spearman(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """Spearman's rank correlation with the interval of Bonett and Wright (2000).

    Raises:
        TheiaError: as for `pearson`.
    """
    ranks = _ranks(np.asarray(x, float)), _ranks(np.asarray(y, float))
    estimate = _correlation(*ranks, 1.0)
    return _correlation(*ranks, 1.0 + estimate.r**2 / 2)


def _correlation(x: np.ndarray, y: np.ndarray, variance: float) -> Correlation:
    if len(x) != len(y) or len(x) < FEWEST:
        raise TheiaError(
            f"a correlation needs {FEWEST} points with both measures; there are {len(x)} and {len(y)}"
        )
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise TheiaError("one of the measures is the same for all; nothing correlates with it")
    r = float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0))
    if abs(r) > 1 - 1e-12:
        return Correlation(r, (r, r), len(x))
    half = float(ndtri(0.975)) * (variance / (len(x) - 3)) ** 0.5
    low, high = np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)
    return Correlation(r, (float(low), float(high)), len(x))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1; equals share their mean."""
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.arange(1, len(values) + 1)
    for value in np.unique(values):
        ranks[values == value] = ranks[values == value].mean()
    return ranks
