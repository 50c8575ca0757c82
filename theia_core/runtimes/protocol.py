"""What every encoder runtime can do."""

from typing import Protocol

import numpy as np


class EncoderRuntime(Protocol):
    """Runs an encoder's network on preprocessed images; nothing else of the encoder is its business.

    An instance is used from one thread at a time.

    Attributes:
        name: name under which it is chosen, such as "onnxruntime".
        largest_batch: images that `run` should be given at once for the best speed.
        patch: the network takes any multiple of this many pixels; None if it takes one size only.
    """

    name: str
    largest_batch: int
    patch: int | None

    def run(self, images: np.ndarray) -> np.ndarray:
        """All tokens of a batch.

        Args:
            images: (B, 3, S, S) float32 from `Preprocessing.apply`.

        Returns:
            (B, T, d) float32: the encoder's special tokens (CLS, registers), if any, then the spatial tokens
            row by row.
        """
        ...
