"""Spatial tokens of recorded episodes, computed once and kept on disk.

An encoder is frozen while a policy trains on it, so each image is encoded once. One safetensors file per
episode holds tokens (float16, as they travel on the robot), joint states and actions; its name is made of the
encoder_id, the hash of the episode's content and the rate, so a changed episode or encoder can never be met
with stale tokens. Tokens of augmented frames lie beside them, one file per variant, named after the
augmentation too.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import numpy as np

from theia_core.encoders import Encoder
from theia_core.errors import TheiaError
from theia_training.cloning.augmentation import Augmentation
from theia_training.cloning.episode_cache import (
    CachedEpisode,
    Read,
    checked_steps,
    each_content_once,
    read_control_steps,
    store,
    stored_episode,
)


class TokenCache:
    """Folder of token files of one encoder at one rate."""

    def __init__(
        self,
        folder: Path,
        encoder: Encoder,
        rate_hz: float,
        read: Read = read_control_steps,
        augmentation: Augmentation | None = None,
        variants: int = 0,
        threads: int = 1,
    ) -> None:
        """Keep tokens of `encoder` under `folder`.

        Args:
            folder: created when the first episode is stored.
            encoder: frozen encoder.
            rate_hz: control rate at which episodes are resampled.
            read: reads an episode as `ControlSteps`.
            augmentation: how frames are changed for the variants.
            variants: augmented variants of each frame, besides the frame as it is.
            threads: episodes that are decoded side by side; they are encoded one after the other.
        """
        self.folder = folder / encoder.encoder_id
        self._encoder, self._rate_hz, self._read = encoder, rate_hz, read
        self._threads, self._encoding = threads, Lock()
        self._augmentation, self._variants = augmentation, variants if augmentation else 0

    def episodes(self, paths: Sequence[Path], progress: bool = True) -> list[CachedEpisode]:
        """Token episodes of MCAP files; those not yet in the cache are encoded first.

        Episodes with equal content are taken once.

        Raises:
            TheiaError: if an episode cannot be read, holds no step or numbers that are not finite.
        """
        label = f"tokens of {self._encoder.spec.name}"
        return each_content_once(paths, self._episode, label, threads=self._threads, progress=progress)

    def _episode(self, path: Path, digest: str) -> CachedEpisode:
        plain, *variants = (self._path(digest, variant) for variant in range(1 + self._variants))
        if missing := [v for v, stored in enumerate((plain, *variants)) if not stored.exists()]:
            self._encode(path, digest, missing)
        return stored_episode(plain, "tokens", path.name, digest, variants)

    def _path(self, digest: str, variant: int) -> Path:
        """File of an episode; variant 0 is the frames as they are."""
        name = f"{digest}-{self._rate_hz:g}hz"
        if variant and self._augmentation:
            changes = json.dumps(self._augmentation.to_dict(), sort_keys=True).encode()
            name += f"-{hashlib.sha256(changes).hexdigest()[:8]}-{variant}"
        return self.folder / f"{name}.safetensors"

    def _encode(self, path: Path, digest: str, variants: Sequence[int]) -> None:
        steps, entries = checked_steps(path, self._rate_hz, self._read)
        spec = self._encoder.spec
        tokens = np.empty((len(variants), len(entries["actions"]), spec.tokens, spec.channels), np.float16)
        frames = np.concatenate([spec.preprocessing.resize(image) for image in steps.images])
        for row, variant in enumerate(variants):
            changed = self._changed(frames, digest, variant)
            with self._encoding:
                tokens[row] = self._encoder.encode(changed)
        if not np.isfinite(tokens).all():
            raise TheiaError(
                f"tokens of {path} overflow float16; {self._encoder.encoder_id} cannot be used so"
            )
        notes = {"encoder_id": self._encoder.encoder_id, "episode": path.name}
        for row, variant in enumerate(variants):
            others = {} if variant else entries
            store(self._path(digest, variant), {"tokens": tokens[row], **others}, notes)

    def _changed(self, frames: np.ndarray, digest: str, variant: int) -> np.ndarray:
        """A variant of an episode's frames (T, S, S, 3); it depends on the episode and each frame's place."""
        if not (variant and self._augmentation):
            return frames
        randoms = (np.random.default_rng([int(digest, 16), index, variant]) for index in range(len(frames)))
        return np.stack([self._augmentation.apply(f, r) for f, r in zip(frames, randoms, strict=True)])
