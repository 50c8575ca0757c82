"""An episode at a glance: a few of its frames in one picture."""

import cv2
import numpy as np

from theia_core.episodes.reader import Episode

_FONT = cv2.FONT_HERSHEY_SIMPLEX


def filmstrip(episode: Episode, frames: int = 8, columns: int = 4, width: int = 320) -> np.ndarray:
    """Evenly spaced frames with their times, as rows of `columns` pictures.

    Args:
        episode: the episode.
        frames: number of pictures; fewer if the episode has fewer.
        columns: pictures in a row.
        width: of one picture, pixels.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        TheiaError: if the episode has no camera or a frame cannot be decoded.
    """
    count = episode.topics[episode.image_topic].message_count
    wanted = set(np.linspace(0, count - 1, min(frames, count)).round().astype(int))
    pictures = []
    start_s = None
    for index, (stamp_s, rgb) in enumerate(episode.images()):
        start_s = stamp_s if start_s is None else start_s
        if index in wanted:
            height = round(width * rgb.shape[0] / rgb.shape[1])
            small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
            pictures.append(_labelled(small, f"{stamp_s - start_s:.1f} s"))
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
