"""What every encoder runtime can do."""

from typing import Protocol

import numpy as np


class EncoderRuntime(Protocol):
    """Runs an encoder's network; what tokens mean and which encoder it is are `Encoder`'s business.

    An instance has loaded its network and is used from one thread at a time. `Encoder` is the whole of it:
    `load_encoder` loads, `Encoder.warm_up`, `encode` and `describe` go through here.

    Attributes:
        name: name under which it is chosen, such as "onnxruntime".
        precision: "fp32", "fp16" or "int8", what the network's large products are computed in.
        largest_batch: images that `run` should be given at once for the best speed.
        patch: the network takes any multiple of this many pixels; None if it takes one size only.
        frame_size: (H, W) of raw camera frames where preprocessing is part of the graph; None if `run` takes
            preprocessed images.
    """

    name: str
    precision: str
    largest_batch: int
    patch: int | None
    frame_size: tuple[int, int] | None

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """All tokens of a batch.

        Args:
            inputs: (B, 3, S, S) float32 from `Preprocessing.apply`; with a `frame_size`, the raw frames
                (B, H, W, 3) uint8 RGB themselves.

        Returns:
            (B, T, d) float32 or float16: the encoder's special tokens (CLS, registers), if any, then the
            spatial tokens row by row. The next call may overwrite it.
        """
        ...

    def describe(self) -> dict[str, str]:
        """What a parity certificate is valid for: `runtime`, `version`, `provider` and `device`."""
        ...
