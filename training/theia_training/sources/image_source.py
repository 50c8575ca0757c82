"""What every source of training images offers: references that are cheap to list, and pixels on demand."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from theia_core.errors import TheiaError


@dataclass(frozen=True, order=True)
class ImageRef:
    """One image of a source.

    Attributes:
        key: unique name of the image, of letters, digits and `_./-` only; it begins with the name of the
            folder or file that was opened.
        source: the photograph, scene or episode that the image was cut from. A split into training and
            held-out images goes by it, so that the two never share one.
    """

    key: str
    source: str


class UnreadableImage(TheiaError):
    """An image that cannot be used; the message names the file and the reason. Callers may skip it."""


class ImageSource(Protocol):
    """A set of images. `load` may be called from several processes; a source can be pickled."""

    def refs(self) -> list[ImageRef]:
        """All images, sorted by key; nothing is decoded."""

    def load(self, ref: ImageRef) -> np.ndarray:
        """Pixels (H, W, 3) uint8 RGB of one image.

        Raises:
            UnreadableImage: if the image is truncated, empty, of an unsupported depth or no image at all.
        """
