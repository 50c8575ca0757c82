"""How far an exported encoder is from the network that it was made of."""

import numpy as np


def test_frames() -> np.ndarray:
    """Two (480, 640, 3) uint8 frames with edges and gradients, on which parity is measured."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (2, 24, 32, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((1, 20, 20, 1), np.uint8))


def measure_parity(reference: np.ndarray, tokens: np.ndarray) -> dict[str, float]:
    """Largest difference, and per-token cosine, of exported tokens (..., d) against the original's."""
    a, b = reference.reshape(-1, reference.shape[-1]), tokens.reshape(-1, tokens.shape[-1])
    cosine = (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return {
        "max_abs": float(np.abs(a - b).max()),
        "token_std": float(a.std()),
        "cosine_min": float(cosine.min()),
    }
