"""Camera frames of recorded episodes, decoded and resized once and kept on disk.

An encoder that is being fine-tuned needs the pixels in every epoch; decoding and resizing them takes longer
than reading them. One safetensors file per episode holds the encoder's input as uint8 (150 kB a frame at 224
pixels), before the normalisation, which `Preprocessing.apply` adds when a batch is made. Its name is made of
what the resize is, the hash of the episode's content and the rate.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from theia_core.images import Preprocessing
from theia_training.cloning.episode_cache import (
    CachedEpisode,
    Read,
    checked_steps,
    each_content_once,
    read_control_steps,
    store,
    stored_episode,
)


class FrameCache:
    """Folder of resized frames at one rate; encoders with the same resize share it."""

    def __init__(
        self,
        folder: Path,
        preprocessing: Preprocessing,
        rate_hz: float,
        read: Read = read_control_steps,
        threads: int = 1,
    ) -> None:
        """Keep frames under `folder`; arguments as for `TokenCache`."""
        self.folder = folder / f"frames-{preprocessing.resize_id}"
        self._preprocessing, self._rate_hz, self._read = preprocessing, rate_hz, read
        self._threads = threads

    def episodes(self, paths: Sequence[Path], progress: bool = True) -> list[CachedEpisode]:
        """Episodes of MCAP files with their frames (T, S, S, 3) uint8; those of equal content are taken once.

        Raises:
            TheiaError: if an episode cannot be read, holds no step or numbers that are not finite.
        """
        return each_content_once(paths, self._episode, "frames", threads=self._threads, progress=progress)

    def _episode(self, path: Path, digest: str) -> CachedEpisode:
        stored = self.folder / f"{digest}-{self._rate_hz:g}hz.safetensors"
        if not stored.exists():
            steps, entries = checked_steps(path, self._rate_hz, self._read)
            frames = np.concatenate([self._preprocessing.resize(image) for image in steps.images])
            store(stored, {"frames": frames, **entries}, {"episode": path.name})
        return stored_episode(stored, "frames", path.name, digest)
