"""Sets of episodes: several folders into one, one folder into training and validation."""

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from theia_core.episodes.reader import find_episodes, load_episode
from theia_core.errors import TheiaError
from theia_core.files import file_sha256, write_json

LISTING = "sources.json"  # beside the episodes of a made folder: where each comes from


def merge(folders: Sequence[Path], out: Path) -> tuple[list[Path], int]:
    """Put the episodes of several folders into one; those of equal content are taken once.

    Files share their content with the originals where the file system can (hard links), and are copied where
    it cannot. One whose name is taken by another gets the name of its folder in front.

    Args:
        folders: folders of episodes.
        out: the new folder; must be empty or absent.

    Returns:
        The new files, and how many were left out because they are there already.

    Raises:
        TheiaError: if `out` is not empty, or there are no episodes.
    """
    _make_empty(out)
    seen: set[str] = set()
    made, twice = [], 0
    for source, digest in _hashed(folders):
        if digest in seen:
            twice += 1
            continue
        seen.add(digest)
        target = out / source.name
        if target.exists():
            target = _free(out / f"{source.parent.name}_{source.name}")
        _share(source, target)
        made.append((target, source, digest))
    _list(out, made)
    return [target for target, _, _ in made], twice


def split(folder: Path, fraction: float, seed: int, out: Path) -> tuple[list[Path], list[Path]]:
    """Put a folder's episodes into `out`/train and `out`/validation.

    Each task is split by itself, and a success and a failure alike. Which episode goes where depends on its
    content and the seed alone, so that adding episodes moves few others.

    Args:
        folder: the episodes.
        fraction: share of them for validation, at least one of each kind that has two.
        seed: another one draws another validation set.
        out: the new folder; must be empty or absent.

    Raises:
        TheiaError: if the fraction is no share, or there are fewer than two episodes.
    """
    if not 0 < fraction < 1:
        raise TheiaError(f"a validation share of {fraction} is none; give one between 0 and 1")
    kinds: dict[tuple[str, bool], list[tuple[Path, str]]] = {}
    for source, digest in _hashed([folder]):
        metadata = load_episode(source).metadata
        kind = (str(metadata.get("task")), bool(metadata.get("success")))
        kinds.setdefault(kind, []).append((source, digest))
    if sum(map(len, kinds.values())) < 2:
        raise TheiaError(f"{folder} holds one episode; a split needs at least two")
    _make_empty(out)
    parts: dict[str, list[tuple[Path, Path, str]]] = {"train": [], "validation": []}
    for members in kinds.values():
        members.sort(key=lambda member: hashlib.sha256(f"{seed}/{member[1]}".encode()).digest())
        held_out = min(max(1, round(fraction * len(members))), len(members) - 1)
        for place, (source, digest) in enumerate(members):
            part = "validation" if place < held_out else "train"
            target = _free(out / part / source.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            _share(source, target)
            parts[part].append((target, source, digest))
    for part, made in parts.items():
        if made:
            _list(out / part, made)
    return [made[0] for made in parts["train"]], [made[0] for made in parts["validation"]]


def _hashed(folders: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    paths = [path for folder in folders for path in find_episodes(folder)]
    if not paths:
        raise TheiaError(f"no episodes in {', '.join(map(str, folders))}")
    return ((path, file_sha256(path)) for path in paths)


def _make_empty(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise TheiaError(f"{folder} is not empty; choose a new folder, nothing is overwritten")
    folder.mkdir(parents=True, exist_ok=True)


def _free(path: Path) -> Path:
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}_{number}{path.suffix}")
    return free


def _share(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def _list(folder: Path, made: Sequence[tuple[Path, Path, str]]) -> None:
    write_json(
        folder / LISTING,
        {target.name: {"from": str(source), "sha256": digest} for target, source, digest in made},
    )
