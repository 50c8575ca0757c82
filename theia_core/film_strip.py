"""A few moments of something filmed in one picture."""

from collections.abc import Sequence

import cv2
import numpy as np

_FONT = cv2.FONT_HERSHEY_SIMPLEX


def moments(count: int, wanted: int) -> list[int]:
    """Places of `wanted` frames, evenly spaced over `count`, the first and the last among them."""
    return sorted(set(np.linspace(0, count - 1, min(wanted, count)).round().astype(int).tolist()))


def film_strip(frames: Sequence[tuple[float, np.ndarray]], columns: int, width: int) -> np.ndarray:
    """Frames with their times, as rows of `columns` pictures.

    Args:
        frames: time [s] and picture (H, W, 3) uint8 RGB of each, at least one.
        columns: pictures in a row.
        width: of one picture, pixels.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    pictures = []
    for at_s, rgb in frames:
        height = round(width * rgb.shape[0] / rgb.shape[1])
        small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
        pictures.append(_labelled(small, f"{at_s:.1f} s"))
    while len(pictures) % columns and len(pictures) > columns:
        pictures.append(np.full_like(pictures[0], 255))
    rows = [np.hstack(pictures[start : start + columns]) for start in range(0, len(pictures), columns)]
    return np.vstack(rows)


def _labelled(picture: np.ndarray, text: str) -> np.ndarray:
    """The picture with white text on a dark ground in its lower left corner."""
    (width, height), _ = cv2.getTextSize(text, _FONT, 0.5, 1)
    bottom = picture.shape[0]
    picture = picture.copy()
    picture[bottom - height - 8 :, : width + 8] //= 4
    return cv2.putText(picture, text, (4, bottom - 4), _FONT, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
