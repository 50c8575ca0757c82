"""Files below a folder, and how keys are made of their paths."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

CROP_MARK = "__"  # `NAME__003.jpg` was cut from NAME
_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9_./-]")


def files_below(folder: Path) -> Iterator[Path]:
    """Files in a folder and below it, sorted; hidden files and hidden folders are left out."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(parent, name)


def clean_key(text: str) -> str:
    """`text` with every character that keys do not have replaced by a hyphen."""
    return _NOT_IN_KEYS.sub("-", text)


def source_name(stem: str) -> str:
    """What an image of that name was cut from: the name up to the first "__" (all of it, if it begins so)."""
    return stem.split(CROP_MARK)[0] or stem
