"""Deleting episodes in a way that can be undone."""

from datetime import datetime
from pathlib import Path

from theia_core.episodes.reader import TRASH
from theia_core.errors import TheiaError


def delete_episodes(paths: list[Path]) -> list[Path]:
    """Move episodes into the folder .trash beside them; returns where they are now.

    Raises:
        TheiaError: if one of them does not exist; then none is moved.
    """
    if absent := [path for path in paths if not path.is_file()]:
        raise TheiaError(f"no episode {absent[0]}; nothing was deleted")
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S.%f")
    moved = []
    for path in paths:
        folder = path.parent / TRASH / stamp
        folder.mkdir(parents=True, exist_ok=True)
        moved.append(path.rename(folder / path.name))
    return moved


def undo_delete(folder: Path) -> list[Path]:
    """Bring back the episodes of `folder` that were deleted last; returns where they are now.

    Raises:
        TheiaError: if nothing was deleted there, or an episode of that name is there again.
    """
    batches = sorted(path for path in (folder / TRASH).glob("*") if path.is_dir())
    if not batches:
        raise TheiaError(f"nothing to bring back: {folder / TRASH} is empty")
    deleted = sorted(batches[-1].iterdir())
    if taken := [path.name for path in deleted if (folder / path.name).exists()]:
        raise TheiaError(f"{folder / taken[0]} exists again; move it away, then undo")
    back = [path.rename(folder / path.name) for path in deleted]
    batches[-1].rmdir()
    return back
