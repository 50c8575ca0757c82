"""Pooled vectors of images, computed once for each encoder and kept on disk."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np

from theia_core.analysis.pooling import POOLS, pooled
from theia_core.encoders import Encoder
from theia_core.files import whole_file


class VectorCache:
    """Vectors of one encoder, by the hash of an image's pixels."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        """Read what is in `folder`; a file that cannot be read is computed again."""
        self.path = folder / f"{encoder.encoder_id}.npz"
        self._encoder = encoder
        self._vectors: dict[str, np.ndarray] = {}
        self._changed = False
        try:
            with np.load(self.path) as stored:
                self._vectors = {name: stored[name] for name in stored.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            self._vectors = {}

    def vector(self, pixels: np.ndarray, pool: str) -> np.ndarray:
        """Vector of an image (H, W, 3) uint8 RGB by one of `POOLS`."""
        digest = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()[:24]
        if f"{digest}.{pool}" not in self._vectors:
            tokens = self._encoder.encode(pixels, reduce="all")[0]
            vectors = pooled(tokens, self._encoder.spec)
            self._vectors |= {f"{digest}.{name}": vectors[name] for name in POOLS if name in vectors}
            self._changed = True
        return self._vectors[f"{digest}.{pool}"]

    def save(self) -> None:
        """Write the vectors, if there are new ones."""
        if not self._changed:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(self.path) as file:
            np.savez(file, **self._vectors)
        self._changed = False
