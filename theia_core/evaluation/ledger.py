"""The ledger: one JSON line a trial, on the disk before the next trial starts."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from theia_core.errors import TheiaError


class Ledger:
    """An append-only file of trial records (JSON Lines); what it holds is never changed.

    A line that a crash tore was never acknowledged, so it is no trial: `read` leaves it out and the next
    `append` drops it.
    """

    def __init__(self, path: Path | str) -> None:
        """Use the ledger at `path`; the file is made by the first `append`."""
        self.path = Path(path)

    def append(self, record: dict[str, Any]) -> None:
        """Write one record; when this returns it is on the disk.

        Raises:
            TheiaError: if the record is no JSON (NaN included) or the file cannot be written.
        """
        try:
            line = json.dumps(record, allow_nan=False, default=_plain) + "\n"
        except (TypeError, ValueError) as error:
            raise TheiaError(f"trial record cannot be written to {self.path}: {error}") from error
        try:
            self._mend()
            with self.path.open("ab") as stream:
                stream.write(line.encode())
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise TheiaError(
                f"cannot write ledger {self.path}: {error.strerror}; check the folder"
            ) from error

    def read(self) -> list[dict[str, Any]]:
        """All records, in the order they were written; none if the file does not exist.

        Raises:
            TheiaError: if the file cannot be read, or a line other than a torn last one is no record.
        """
        try:
            text = self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            raise TheiaError(f"cannot read ledger {self.path}: {error.strerror}; check the path") from error
        records = []
        lines = text.split(b"\n")
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            record = _parse(line)
            if record is None and number < len(lines):
                raise TheiaError(
                    f"{self.path}, line {number} is no trial record: {line[:60].decode(errors='replace')!r}; "
                    "restore the file or remove the line"
                )
            if record is not None:
                records.append(record)
        return records

    def _mend(self) -> None:
        """End the file with a whole line: complete one that lacks only its newline, drop a torn one."""
        if not self.path.exists() or not self.path.stat().st_size:
            return
        with self.path.open("r+b") as stream:
            stream.seek(-1, os.SEEK_END)
            if stream.read() == b"\n":
                return
            stream.seek(0)
            text = stream.read()
            start = text.rfind(b"\n") + 1
            if _parse(text[start:]) is None:
                stream.truncate(start)
            else:
                stream.write(b"\n")
            stream.flush()
            os.fsync(stream.fileno())


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _plain(value: Any) -> Any:
    """NumPy numbers and arrays and paths as JSON has them."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")
