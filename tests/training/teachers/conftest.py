import numpy as np
import pytest


@pytest.fixture()
def frames() -> np.ndarray:
    """Three (120, 160, 3) uint8 frames of coloured blocks, all different."""
    coarse = np.random.default_rng(1).integers(0, 256, (3, 6, 8, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((1, 20, 20, 1), np.uint8))
