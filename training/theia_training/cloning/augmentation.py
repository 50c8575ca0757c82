"""Image augmentation: small random shifts and changes of light and colour, drawn from a generator.

A policy's frame is changed as a whole after the resize, so that it stays one consistent picture; actions and
joints are not touched. The shift is DrQ's pad and crop (Yarats et al. 2021): border pixels go on outside.
"""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from theia_core.errors import TheiaError

# Rec. 601 luma of R, G, B.
LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Augmentation:
    """How far a frame may be changed.

    Attributes:
        shift_px: largest shift along each axis, in pixels of the encoder's input.
        brightness: largest relative change of brightness.
        contrast: largest relative change of contrast, about the frame's mean luma.
        saturation: largest relative change of saturation.
    """

    shift_px: int = 4
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2

    def __post_init__(self) -> None:
        """Refuse changes after which little would be left to see."""
        if not 0 <= self.shift_px <= 32:
            raise TheiaError(f"the shift is {self.shift_px} px; give 0 to 32 of the encoder's 224")
        for name in ("brightness", "contrast", "saturation"):
            if not 0 <= getattr(self, name) < 1:
                raise TheiaError(f"{name} changes by {getattr(self, name)}; give a share from 0 to below 1")

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return asdict(self)

    def apply(self, frame: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """A changed copy of a frame (S, S, 3) uint8 RGB; always draws five numbers from `random`."""
        dx, dy = random.integers(-self.shift_px, self.shift_px, 2, endpoint=True)
        light, contrast, saturation = 1 + random.uniform(-1, 1, 3) * (
            self.brightness,
            self.contrast,
            self.saturation,
        )
        height, width = frame.shape[:2]
        rows = np.clip(np.arange(height) + dy, 0, height - 1)
        columns = np.clip(np.arange(width) + dx, 0, width - 1)
        shifted = np.ascontiguousarray(frame[rows[:, None], columns])
        # All three changes are one matrix on RGB, so values are rounded and cut off once.
        matrix = light * contrast * (saturation * np.eye(3) + (1 - saturation) * LUMA)
        mean_luma = float(LUMA @ np.asarray(cv2.mean(shifted)[:3]))
        offset = np.full((3, 1), (1 - contrast) * light * mean_luma)
        return np.asarray(cv2.transform(shifted, np.hstack([matrix, offset])))
