"""Cosines between tokens, and between predicted and true features of a teacher."""

import numpy as np

from theia_core.analysis.norms import check_tokens
from theia_core.errors import TheiaError

_TINY = 1e-12


def token_cosine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cosine (...) float64 of vectors (..., d); 0 where one of them is zero."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    cosines: np.ndarray = np.einsum("...d,...d->...", a, b) / np.maximum(lengths, _TINY)
    return cosines


def cosine_to_mean(tokens: np.ndarray) -> np.ndarray:
    """Cosine (B, N) of each token to the mean token of its own image, for tokens (B, N, d)."""
    values = check_tokens(tokens).astype(np.float64)
    return token_cosine(values, values.mean(axis=1, keepdims=True))


def feature_cosines(predicted: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How well a teacher's normalised features are predicted.

    Args:
        predicted: (B, N, C), normalised per channel by the mean and deviation of the training set.
        true: the same of the teacher itself.

    Returns:
        Two arrays (B, N) float64: the cosine of predicted and true feature of each token, both relative to
        the training set's mean feature; and the same after each image's own mean token is taken from both, so
        that only what differs within an image counts.

    Raises:
        TheiaError: if shapes differ, or features are not finite.
    """
    if predicted.shape != true.shape:
        raise TheiaError(
            f"predicted features have shape {predicted.shape}, the teacher's {true.shape}; "
            "they must be of the same teacher and images"
        )
    a, b = check_tokens(predicted).astype(np.float64), check_tokens(true).astype(np.float64)
    return token_cosine(a, b), token_cosine(a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True))
