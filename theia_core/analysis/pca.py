"""Principal components of tokens: how many directions an encoder uses, and axes to draw them along."""

from dataclasses import dataclass

import numpy as np

from theia_core.errors import TheiaError


@dataclass(frozen=True)
class Pca:
    """Principal components, by falling variance.

    Attributes:
        mean: (d,) float64.
        directions: (k, d) float64, orthonormal; the largest loading of each is positive.
        variances: (k,) float64, population variance along each direction.
    """

    mean: np.ndarray
    directions: np.ndarray
    variances: np.ndarray

    @property
    def ratios(self) -> np.ndarray:
        """Explained-variance ratios (k,), which sum to 1; all 0 if nothing varies."""
        total = self.variances.sum()
        return self.variances / total if total > 0 else np.zeros_like(self.variances)

    @property
    def cumulative(self) -> np.ndarray:
        """Share of the variance (k,) that the first 1, 2, ... components explain."""
        return np.cumsum(self.ratios)

    @property
    def auc(self) -> float:
        """Area under the cumulative share of variance against the share of components.

        By trapezoids from (0, 0) to (1, 1): 0.5 if every direction carries as much as any other, towards 1
        if few carry all. Both axes run from 0 to 1, so that encoders of different width compare. 0 if nothing
        varies.
        """
        curve = np.concatenate([[0.0], self.cumulative])
        return float((curve[1:] + curve[:-1]).sum() / 2 / len(self.ratios))

    def components_for(self, share: float) -> int:
        """Smallest number of components that explain `share` of the variance; 0 if nothing varies."""
        if self.variances.sum() <= 0:
            return 0
        return int(np.searchsorted(self.cumulative, share - 1e-12) + 1)

    def project(self, tokens: np.ndarray, count: int) -> np.ndarray:
        """Coordinates (..., count) float64 of tokens (..., d) along the first components."""
        return (np.asarray(tokens, np.float64) - self.mean) @ self.directions[:count].T


def fit_pca(tokens: np.ndarray) -> Pca:
    """Principal components of tokens.

    Args:
        tokens: (..., d) floats; all leading axes are taken together. With fewer than d tokens the components
            are as many as the tokens.

    Raises:
        TheiaError: if there are fewer than two tokens, or they are not finite.
    """
    values = np.asarray(tokens, np.float64).reshape(-1, tokens.shape[-1])
    count, width = values.shape
    if count < 2 or not np.isfinite(values).all():
        raise TheiaError(f"{count} tokens, finite or not, have no principal components; give two finite ones")
    mean = values.mean(axis=0)
    centred = values - mean
    if count <= width:
        _, strengths, directions = np.linalg.svd(centred, full_matrices=False)
        variances = strengths**2 / count
    else:
        variances, vectors = np.linalg.eigh(centred.T @ centred / count)
        variances, directions = np.maximum(variances[::-1], 0), vectors.T[::-1]
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    return Pca(mean, directions * signs[:, None], variances)
