"""What the caches of tokens and frames share: reading episodes, names by content, writing files whole."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from safetensors.numpy import save
from tqdm import tqdm

from theia_core.errors import TheiaError
from theia_core.files import whole_file
from theia_core.runtimes.safetensors_graph import tensor_places

Read = Callable[[Path, float], Any]
_DTYPES = {"F16": np.float16, "F32": np.float32, "U8": np.uint8}


class ControlSteps(Protocol):
    """An episode at the control rate; `theia_core.episodes.resample` makes it."""

    images: Sequence[np.ndarray]
    joints: np.ndarray
    actions: np.ndarray
    held: np.ndarray


@dataclass(frozen=True)
class CachedEpisode:
    """One episode of T control steps, ready to train on.

    Attributes:
        name: file name of the episode, for messages.
        content_hash: hash of the episode file.
        observed: what the network is fed, memory-mapped: (T, N, d) float16 tokens or (T, S, S, 3) uint8 RGB
            frames.
        joints: (T, J) float32, the robot's state; WidowX: six joints [rad] and the left finger [m].
        actions: (T, D) float32, the executed actions.
        held: (T,) bool, steps at which no action was executed; nothing is to be learned from their zeros.
        variants: arrays like `observed`, of augmented frames.
    """

    name: str
    content_hash: str
    observed: np.ndarray
    joints: np.ndarray
    actions: np.ndarray
    held: np.ndarray
    variants: tuple[np.ndarray, ...] = ()

    def __len__(self) -> int:
        return len(self.actions)


def read_control_steps(path: Path, rate_hz: float) -> ControlSteps:
    """Read an episode from its MCAP file at `rate_hz`."""
    from theia_core.episodes import load_episode, resample

    steps: ControlSteps = resample(load_episode(path), rate_hz)
    return steps


def each_content_once(
    paths: Sequence[Path],
    make: Callable[[Path, str], CachedEpisode],
    label: str,
    *,
    threads: int = 1,
    progress: bool = True,
) -> list[CachedEpisode]:
    """What `make` gives for episode files and the hashes of their content; of equal files the first counts.

    Args:
        paths: episode files.
        make: called with a path and its content's hash, from `threads` threads at once.
        label: of the progress bar.
        threads: episodes that are decoded side by side.
        progress: show the bar.
    """
    by_content: dict[str, Path] = {}
    for path in paths:
        by_content.setdefault(content_hash(path), path)
    with ThreadPoolExecutor(threads) as pool:
        made = [pool.submit(make, path, digest) for digest, path in by_content.items()]
        try:
            return [each.result() for each in tqdm(made, desc=label, unit="episode", disable=not progress)]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def content_hash(path: Path) -> str:
    """First 16 hex digits of the sha256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:16]


def checked_steps(path: Path, rate_hz: float, read: Read) -> tuple[ControlSteps, dict[str, np.ndarray]]:
    """An episode's control steps, and its joints, actions and held steps as a cache stores them.

    Raises:
        TheiaError: if the episode cannot be read, holds no step or numbers that are not finite.
    """
    steps: ControlSteps = read(path, rate_hz)
    joints, actions = (np.ascontiguousarray(a, np.float32) for a in (steps.joints, steps.actions))
    count = len(actions)
    if count == 0 or len(steps.images) != count or len(joints) != count:
        raise TheiaError(
            f"{path} has {len(steps.images)} images, {len(joints)} joint states and {count} actions at "
            f"{rate_hz:g} Hz; delete it or record it again"
        )
    if not (np.isfinite(joints).all() and np.isfinite(actions).all()):
        raise TheiaError(
            f"{path} holds joint states or actions that are not finite; delete it or record it again"
        )
    return steps, {"joints": joints, "actions": actions, "held": np.asarray(steps.held, np.uint8)}


def store(path: Path, arrays: Mapping[str, np.ndarray], notes: Mapping[str, str]) -> None:
    """Write a cache file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(save(dict(arrays), dict(notes)))


def stored_episode(
    path: Path, entry: str, name: str, digest: str, variants: Sequence[Path] = ()
) -> CachedEpisode:
    """Episode of a cache file, its observations memory-mapped.

    Args:
        path: the file.
        entry: what the observations are called in it and in its variants.
        name: file name of the episode.
        digest: hash of the episode's content.
        variants: files with observations of augmented frames.
    """
    arrays = _mapped(path)
    joints, actions, held = (np.array(arrays[key]) for key in ("joints", "actions", "held"))
    others = tuple(_mapped(variant)[entry] for variant in variants)
    return CachedEpisode(name, digest, arrays[entry], joints, actions, held.astype(bool), others)


def _mapped(path: Path) -> dict[str, np.ndarray]:
    return {
        key: np.memmap(path, _DTYPES[place.dtype], "r", place.offset, place.shape)
        for key, place in tensor_places(path).items()
    }
