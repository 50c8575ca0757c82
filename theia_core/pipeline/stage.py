"""One stage of a pipeline, and the hashes that link what goes in with what comes out."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from theia_core.files import file_sha256

ABSENT = "absent"


@dataclass(frozen=True)
class Stage:
    """One command of `theia`.

    Attributes:
        name: what the stage is called.
        command: the words after `theia`.
        resume_if: file that an interrupted run leaves; where it is there, --resume is added. None for a
            command that goes on by itself.
        inputs: files and folders that it reads.
        outputs: files and folders that it makes.
        stdout: file that receives what it prints, None for the terminal.
        good_codes: exit codes after which the pipeline goes on.
    """

    name: str
    command: tuple[str, ...]
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    resume_if: Path | None = None
    stdout: Path | None = None
    good_codes: tuple[int, ...] = (0,)

    @property
    def words(self) -> tuple[str, ...]:
        """The command to run now."""
        again = self.resume_if is not None and self.resume_if.exists()
        return (*self.command, "--resume") if again else self.command


def content_hash(path: Path) -> str:
    """12 hexadecimal digits of a file, or of all files below a folder but hidden and unfinished ones."""
    if path.is_file():
        return file_sha256(path)[:12]
    if not path.is_dir():
        return ABSENT
    digest = hashlib.sha256()
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        inner = file.relative_to(path)
        if any(part.startswith(".") for part in inner.parts) or ".partial" in file.name:
            continue
        digest.update(f"{inner.as_posix()}\0{file_sha256(file)}\n".encode())
    return digest.hexdigest()[:12]


def hashes(paths: tuple[Path, ...]) -> dict[str, str]:
    """Content hash of each path."""
    return {str(path): content_hash(path) for path in paths}
