"""The definition of preprocessing: a camera frame becomes an encoder's input here and nowhere else.

Training, export and the robot all call `Preprocessing.apply`. The resize is Pillow's own antialiased bilinear
filter, without keeping the aspect ratio, which is what the released Theia checkpoints were trained behind.

Other resizers are not the same. Measured from 640x480 to 224 on 30 renders of the door task, in levels of 255
and as one minus the cosine of EfficientNet-Lite2's tokens to those behind Pillow, mean (largest):

    torch bilinear, antialias=True, uint8     0.0009 (1)     0.000002 (0.0001)
    cv2 INTER_AREA                            0.64 (50)      0.0046 (0.033)
    cv2 INTER_LINEAR                          1.8 (111)      0.033 (0.37)
    torch bilinear, antialias=False, uint8    1.8 (111)      0.033 (0.37)

`python -m theia_training.compare_resizers FOLDER --encoder NAME` measures it on other images.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from theia_core.errors import TheiaError


@dataclass(frozen=True)
class Preprocessing:
    """Resize to size x size, scale to 0..1, then (x - mean) / std per RGB channel.

    Attributes:
        size: side S of the encoder's input in pixels.
        mean: per channel mean, on the 0..1 scale.
        std: per channel standard deviation, on the 0..1 scale.
    """

    size: int = 224
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)

    def __post_init__(self) -> None:
        """Refuse values that no encoder can have."""
        if self.size < 1:
            raise TheiaError(f"preprocessing size is {self.size}; give the side in pixels, such as 224")
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise TheiaError(
                f"preprocessing mean {self.mean} and std {self.std}: give three values each, std above zero"
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Preprocessing":
        """Preprocessing from a model's JSON file."""
        return cls(int(values["size"]), _triple(values["mean"]), _triple(values["std"]))

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return asdict(self)

    @property
    def resize_id(self) -> str:
        """Name of what `resize` does: caches of resized frames are valid for one name only."""
        return f"{self.size}px-pillow-bilinear"

    def resize(self, frames: np.ndarray) -> np.ndarray:
        """Resize frames as Pillow does.

        Args:
            frames: (B, H, W, 3) or (H, W, 3) uint8 RGB.

        Returns:
            (B, S, S, 3) uint8 RGB; B is 1 for a single frame.

        Raises:
            TheiaError: if `frames` has another dtype, number of channels or number of dimensions.
        """
        batch = check_frames(frames)
        if batch.shape[1:3] == (self.size, self.size):
            return batch
        resized = np.empty((len(batch), self.size, self.size, 3), np.uint8)
        for index, frame in enumerate(batch):
            image = Image.fromarray(np.ascontiguousarray(frame))
            resized[index] = np.asarray(image.resize((self.size, self.size), Image.Resampling.BILINEAR))
        return resized

    def apply(self, frames: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Turn camera frames into the encoder's input.

        Args:
            frames: (B, H, W, 3) or (H, W, 3) uint8 RGB of any resolution.
            out: (B, 3, S, S) float32 to write the result into; a new array by default.

        Returns:
            (B, 3, S, S) float32; B is 1 for a single frame. A new one is C-contiguous.

        Raises:
            TheiaError: if `frames` has another dtype, number of channels or number of dimensions.
        """
        resized = self.resize(frames)
        mean, std = np.asarray(self.mean, np.float64), np.asarray(self.std, np.float64)
        scale = (1 / (255 * std)).astype(np.float32)[:, None, None]
        offset = (-mean / std).astype(np.float32)[:, None, None]
        images = np.empty((len(resized), 3, self.size, self.size), np.float32) if out is None else out
        np.multiply(resized.transpose(0, 3, 1, 2), scale, out=images)
        images += offset
        return images


def check_frames(frames: np.ndarray) -> np.ndarray:
    """Frames as a batch (B, H, W, 3) uint8 RGB.

    Raises:
        TheiaError: if `frames` is anything but (B, H, W, 3) or (H, W, 3) uint8.
    """
    if not isinstance(frames, np.ndarray):
        raise TheiaError(f"frames are a {type(frames).__name__}; give a numpy array (B, H, W, 3) uint8 RGB")
    if frames.dtype != np.uint8:
        raise TheiaError(f"frames have dtype {frames.dtype}; give uint8 RGB, not scaled and not normalised")
    if frames.ndim not in (3, 4):
        raise TheiaError(f"frames have shape {frames.shape}; give (B, H, W, 3) or (H, W, 3)")
    if frames.shape[-1] != 3:
        raise TheiaError(
            f"frames have {frames.shape[-1]} channels in shape {frames.shape}; give RGB, channels last"
        )
    if 0 in frames.shape[-3:-1]:
        raise TheiaError(f"frames have shape {frames.shape}; height and width must be above zero")
    return frames if frames.ndim == 4 else frames[None]


def _triple(values: Any) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    return first, second, third
