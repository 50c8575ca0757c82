"""Tokens as colours: three principal axes, fitted once so that pictures can be compared."""

from dataclasses import dataclass

import numpy as np

from theia_core.analysis.pca import Pca, fit_pca

# Colours span these percentiles of each component; what lies beyond is clipped.
PERCENTILES = (2.0, 98.0)


@dataclass(frozen=True)
class RgbBasis:
    """Axes and ranges that turn tokens into colours.

    Attributes:
        pca: principal components of the tokens it was fitted on.
        low: value of each component that is drawn as 0, (up to 3,).
        high: value of each component that is drawn as 255, (up to 3,).
    """

    pca: Pca
    low: np.ndarray
    high: np.ndarray

    @property
    def explained(self) -> float:
        """Share of the variance that the colours show."""
        return float(self.pca.ratios[: len(self.low)].sum())

    def colours(self, tokens: np.ndarray) -> np.ndarray:
        """Colours (..., 3) uint8 of tokens (..., d)."""
        components = self.pca.project(tokens, len(self.low))
        levels = 255 * (components - self.low) / np.maximum(self.high - self.low, 1e-12)
        colours = np.zeros((*components.shape[:-1], 3), np.uint8)
        colours[..., : len(self.low)] = np.clip(levels, 0, 255).astype(np.uint8)
        return colours


def fit_rgb_basis(tokens: np.ndarray, pca: Pca | None = None) -> RgbBasis:
    """Basis of tokens (..., d); fit it on all images, or on true features, and draw everything with it.

    Args:
        tokens: whose colours are to span the whole range.
        pca: their principal components, if they are known already.

    Raises:
        TheiaError: if there are fewer than two tokens, or they are not finite.
    """
    pca = pca or fit_pca(tokens)
    components = pca.project(tokens, 3).reshape(-1, min(3, len(pca.directions)))
    low, high = np.percentile(components, PERCENTILES, axis=0)
    return RgbBasis(pca, low, high)
