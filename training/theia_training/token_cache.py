"""Spatial tokens of recorded episodes, computed once and kept on disk.

An encoder is frozen while a policy trains on it, so each image is encoded once. One safetensors file per
episode holds tokens (float16, as they travel on the robot), joint states and actions; its name is made of the
encoder_id, the hash of the episode's content and the rate, so a changed episode or encoder can never be met
with stale tokens.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from safetensors.numpy import save_file
from tqdm import tqdm

from theia_core.encoders import Encoder
from theia_core.errors import TheiaError
from theia_core.runtimes.safetensors_graph import tensor_places


class ControlSteps(Protocol):
    """An episode at the control rate; `theia_core.episodes.resample` makes it."""

    images: Sequence[np.ndarray]
    joints: np.ndarray
    actions: np.ndarray
    held: np.ndarray


@dataclass(frozen=True)
class TokenEpisode:
    """One episode of T control steps, ready to train on.

    Attributes:
        name: file name of the episode, for messages.
        content_hash: hash of the episode file.
        tokens: (T, N, d) float16, memory-mapped.
        joints: (T, 7) float32, six joints [rad] and the left finger [m].
        actions: (T, 7) float32, the executed `ee_delta` actions.
        held: (T,) bool, steps at which no action was executed; nothing is to be learned from their zeros.
    """

    name: str
    content_hash: str
    tokens: np.ndarray
    joints: np.ndarray
    actions: np.ndarray
    held: np.ndarray

    def __len__(self) -> int:
        return len(self.actions)


def read_control_steps(path: Path, rate_hz: float) -> ControlSteps:
    """Read an episode from its MCAP file at `rate_hz`."""
    from theia_core.episodes import load_episode, resample

    steps: ControlSteps = resample(load_episode(path), rate_hz)
    return steps


def content_hash(path: Path) -> str:
    """First 16 hex digits of the sha256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:16]


class TokenCache:
    """Folder of token files of one encoder at one rate."""

    def __init__(
        self,
        folder: Path,
        encoder: Encoder,
        rate_hz: float,
        read: Callable[[Path, float], Any] = read_control_steps,
    ) -> None:
        """Keep tokens of `encoder` under `folder`.

        Args:
            folder: created when the first episode is stored.
            encoder: frozen encoder.
            rate_hz: control rate at which episodes are resampled.
            read: reads an episode as `ControlSteps`.
        """
        self.folder = folder / encoder.encoder_id
        self._encoder, self._rate_hz, self._read = encoder, rate_hz, read

    def episodes(self, paths: Sequence[Path], progress: bool = True) -> list[TokenEpisode]:
        """Token episodes of MCAP files; those not yet in the cache are encoded first.

        Episodes with equal content are taken once.

        Raises:
            TheiaError: if an episode cannot be read, holds no step or numbers that are not finite.
        """
        found: dict[str, TokenEpisode] = {}
        bar = tqdm(paths, desc=f"tokens of {self._encoder.spec.name}", unit="episode", disable=not progress)
        for path in bar:
            digest = content_hash(path)
            if digest not in found:
                found[digest] = self._episode(path, digest)
        return list(found.values())

    def _episode(self, path: Path, digest: str) -> TokenEpisode:
        stored = self.folder / f"{digest}-{self._rate_hz:g}hz.safetensors"
        if not stored.exists():
            self._encode(path, stored)
        arrays = {
            name: np.memmap(stored, _DTYPES[place.dtype], "r", place.offset, place.shape)
            for name, place in tensor_places(stored).items()
        }
        joints, actions, held = (np.array(arrays[name]) for name in ("joints", "actions", "held"))
        return TokenEpisode(path.name, digest, arrays["tokens"], joints, actions, held.astype(bool))

    def _encode(self, path: Path, stored: Path) -> None:
        steps = self._read(path, self._rate_hz)
        joints, actions = (np.ascontiguousarray(a, np.float32) for a in (steps.joints, steps.actions))
        count = len(actions)
        if count == 0 or len(steps.images) != count or len(joints) != count:
            raise TheiaError(
                f"{path} has {len(steps.images)} images, {len(joints)} joint states and {count} actions at "
                f"{self._rate_hz:g} Hz; delete it or record it again"
            )
        if not (np.isfinite(joints).all() and np.isfinite(actions).all()):
            raise TheiaError(
                f"{path} holds joint states or actions that are not finite; delete it or record it again"
            )
        tokens = np.empty((count, self._encoder.spec.tokens, self._encoder.spec.channels), np.float16)
        for index, image in enumerate(steps.images):
            tokens[index] = self._encoder.encode(image)[0]
        if not np.isfinite(tokens).all():
            raise TheiaError(
                f"tokens of {path} overflow float16; {self._encoder.encoder_id} cannot be used so"
            )
        stored.parent.mkdir(parents=True, exist_ok=True)
        partial = stored.with_name(f"{stored.name}.{os.getpid()}.partial")
        save_file(
            {
                "tokens": tokens,
                "joints": joints,
                "actions": actions,
                "held": np.asarray(steps.held, np.uint8),
            },
            partial,
            {"encoder_id": self._encoder.encoder_id, "episode": path.name},
        )
        os.replace(partial, stored)


_DTYPES = {"F16": np.float16, "F32": np.float32, "U8": np.uint8}
