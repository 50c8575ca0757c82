"""Image augmentation: small random shifts and changes of light and colour, drawn from a generator.

A policy's frame is changed as a whole after the resize, so that it stays one consistent picture; actions and
joints are not touched. The shift is DrQ's pad and crop (Yarats et al. 2021): border pixels go on outside.
"""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from theia_core.errors import TheiaError

# Rec. 601: luma of R, G, B, and the two axes of colour (I and Q) across it.
LUMA = np.array([0.299, 0.587, 0.114])
_YIQ = np.array([LUMA, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_RGB = np.linalg.inv(_YIQ)


@dataclass(frozen=True)
class Augmentation:
    """How far a frame may be changed.

    Attributes:
        shift_px: largest shift along each axis, in pixels of the encoder's input.
        brightness: largest relative change of brightness.
        contrast: largest relative change of contrast, about the frame's mean luma.
        saturation: largest relative change of saturation.
        hue: largest turn of all colours around grey, in turns; 0.5 makes any colour of any other. It keeps
            luma, so edges stay where they are.
    """

    shift_px: int = 4
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.0

    def __post_init__(self) -> None:
        """Refuse changes after which little would be left to see."""
        if not 0 <= self.shift_px <= 32:
            raise TheiaError(f"the shift is {self.shift_px} px; give 0 to 32 of the encoder's 224")
        for name in ("brightness", "contrast", "saturation"):
            if not 0 <= getattr(self, name) < 1:
                raise TheiaError(f"{name} changes by {getattr(self, name)}; give a share from 0 to below 1")
        if not 0 <= self.hue <= 0.5:
            raise TheiaError(f"the hue turns by {self.hue}; give 0 to 0.5 turns")

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return asdict(self)

    def apply(self, frame: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """A changed copy of a frame (S, S, 3) uint8 RGB; always draws six numbers from `random`."""
        dx, dy = random.integers(-self.shift_px, self.shift_px, 2, endpoint=True)
        light, contrast, saturation = 1 + random.uniform(-1, 1, 3) * (
            self.brightness,
            self.contrast,
            self.saturation,
        )
        angle_rad = 2 * np.pi * random.uniform(-1, 1) * self.hue
        height, width = frame.shape[:2]
        rows = np.clip(np.arange(height) + dy, 0, height - 1)
        columns = np.clip(np.arange(width) + dx, 0, width - 1)
        shifted = np.ascontiguousarray(frame[rows[:, None], columns])
        # All changes of light and colour are one matrix on RGB, so values are rounded and cut off once.
        matrix = light * contrast * (saturation * np.eye(3) + (1 - saturation) * LUMA) @ _turned(angle_rad)
        mean_luma = float(LUMA @ np.asarray(cv2.mean(shifted)[:3]))
        offset = np.full((3, 1), (1 - contrast) * light * mean_luma)
        return np.asarray(cv2.transform(shifted, np.hstack([matrix, offset])))


def _turned(angle_rad: float) -> np.ndarray:
    """Matrix (3, 3) on RGB that turns colours around the grey axis and keeps luma."""
    if angle_rad == 0:
        return np.eye(3)
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    return np.asarray(_RGB @ turn @ _YIQ)
