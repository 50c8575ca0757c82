"""Pictures of the robot's cameras, which are mounted askew, as upright RGB of the wanted size."""

import math
from typing import Any

import cv2
import numpy as np

from theia_core.errors import TheiaError

# By how much each source's picture must be turned, counter-clockwise, to stand upright.
TURN_DEG = {"frontleft_fisheye_image": -78.0, "frontright_fisheye_image": -102.0, "hand_color_image": 0.0}


class Upright:
    """Turns a picture upright and cuts out the largest part of the wanted shape that the camera saw."""

    def __init__(self, source: str, size: tuple[int, int]) -> None:
        """For an image source and (width, height) of the result.

        Raises:
            TheiaError: for a source whose turn is not known.
        """
        if source not in TURN_DEG:
            raise TheiaError(f"image source {source!r} is not known; choose one of {', '.join(TURN_DEG)}")
        self._turn_deg, self._size = TURN_DEG[source], size

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        """(height, width, 3) uint8 of a picture (rows, columns, 3) as it came."""
        rows, columns = rgb.shape[:2]
        width, height = self._size
        cosine = abs(math.cos(math.radians(self._turn_deg)))
        sine = abs(math.sin(math.radians(self._turn_deg)))
        # Picture pixels per pixel of the result, such that its corners still lie on the picture.
        scale = min(
            (columns - 1) / (width * cosine + height * sine), (rows - 1) / (width * sine + height * cosine)
        )
        if 1.0 <= scale < 1.02:
            scale = 1.0  # pixel for pixel rather than blurred
        warp = cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), self._turn_deg, 1 / scale)
        warp[:, 2] += (width - columns) / 2, (height - rows) / 2
        return cv2.warpAffine(rgb, warp, (width, height), flags=cv2.INTER_LINEAR)


def decode(response: Any) -> np.ndarray:
    """The RGB pixels (rows, columns, 3) of a JPEG that the robot sent; grey ones three times.

    Raises:
        TheiaError: if it is none.
    """
    image = response.shot.image
    pixels = cv2.imdecode(np.frombuffer(image.data, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise TheiaError(f"the picture of {response.source.name} cannot be read ({len(image.data)} bytes)")
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
