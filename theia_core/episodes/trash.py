"""Deleting and changing episodes in a way that can be undone."""

from datetime import datetime
from pathlib import Path

from theia_core.episodes.reader import EDITS, TRASH, load_episode
from theia_core.errors import TheiaError
from theia_core.files import file_sha256

_UNDONE = "undone"  # folder in .trash of changed episodes whose original was brought back


def put_aside(paths: list[Path]) -> list[Path]:
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


def undo_last(folder: Path) -> list[Path]:
    """Bring back the episodes of `folder` that were deleted or changed last; returns where they are now.

    The changed version of one goes to .trash/undone, so that undoing destroys nothing either.

    Raises:
        TheiaError: if nothing was deleted there, or another episode of that name is there again.
    """
    batches = sorted(path for path in (folder / TRASH).glob("*") if path.is_dir() and path.name != _UNDONE)
    if not batches:
        raise TheiaError(f"nothing to bring back: {folder / TRASH} is empty")
    originals = sorted(batches[-1].iterdir())
    changed = []
    for original in originals:
        present = folder / original.name
        if present.exists():
            if not _is_edit_of(present, original):
                raise TheiaError(f"{present} exists again; move it away, then undo")
            changed.append(present)
    for present in changed:
        (folder / TRASH / _UNDONE).mkdir(exist_ok=True)
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S.%f")
        present.rename(folder / TRASH / _UNDONE / f"{present.stem}.{stamp}.mcap")
    back = [original.rename(folder / original.name) for original in originals]
    batches[-1].rmdir()
    return back


def _is_edit_of(path: Path, original: Path) -> bool:
    edits = load_episode(path).metadata.get(EDITS, [])
    return bool(edits) and edits[-1].get("of_sha256") == file_sha256(original)
