"""Files: written whole or not at all, and their hashes."""

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

_REPOSITORY = Path(__file__).resolve().parents[1]


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path`, synced, when the block ends without an error.

    The temporary name carries the process id, so that ranks that write the same content do not collide.
    """
    partial = path.with_name(f"{path.name}.partial-{os.getpid()}")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_json(path: Path, values: Any) -> None:
    """Write `values` as JSON, whole or not at all."""
    with whole_file(path) as file:
        file.write(json.dumps(values, indent=1).encode() + b"\n")


def file_sha256(path: Path) -> str:
    """Hex sha256 of a file.

    Raises:
        OSError: if it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def deployed_file(folder: str, name_or_path: str) -> Path:
    """A YAML file of `deploy/<folder>` by its shipped name, in the repository or where it was installed.

    A path to a YAML file is given back, and so is a name that nobody shipped.
    """
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml"):
        return path
    folders = (_REPOSITORY / "deploy" / folder, Path(sys.prefix) / "share" / "theia" / folder)
    candidates = (folder / f"{name_or_path}.yaml" for folder in folders)
    return next((candidate for candidate in candidates if candidate.exists()), path)
