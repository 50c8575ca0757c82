"""An episode at a glance: a few of its frames in one picture."""

import numpy as np

from theia_core.episodes.reader import Episode
from theia_core.film_strip import film_strip, moments


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
    wanted = set(moments(episode.topics[episode.image_topic].message_count, frames))
    found = []
    start_s = None
    for index, (stamp_s, rgb) in enumerate(episode.images()):
        start_s = stamp_s if start_s is None else start_s
        if index in wanted:
            found.append((stamp_s - start_s, rgb))
    return film_strip(found, columns, width)
