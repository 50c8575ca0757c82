"""The ledger: one JSON line a trial, on the disk before the next trial starts; amending adds a line."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from theia_core.errors import TheiaError
from theia_core.evaluation.identity import trial_id

# What an amendment may change: what was seen, never which trial of which policy it was.
AMENDABLE = ("stages", "failure", "counted", "why_not_counted", "notes", "episode", "video")


class Ledger:
    """An append-only file of trial records (JSON Lines); what it holds is never changed.

    A line with the key "amends" corrects the trial of that id; whoever reads trials gets them corrected, with
    the amendments under "amendments". A line that a crash tore was never acknowledged, so it is no trial:
    readers leave it out and the next `append` drops it.
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
            is_new = not self.path.exists()
            self._mend()
            with self.path.open("ab") as stream:
                stream.write(line.encode())
                stream.flush()
                os.fsync(stream.fileno())
            if is_new:
                _sync_folder(self.path.parent)
        except OSError as error:
            raise TheiaError(
                f"cannot write ledger {self.path}: {error.strerror}; check the folder"
            ) from error

    def amend(self, trial: str, changes: dict[str, Any], *, why: str) -> dict[str, Any]:
        """Correct what was recorded of the trial with the id `trial`; returns the trial as it now reads.

        Raises:
            TheiaError: if there is no such trial, no reason is given, or a change is to what cannot change.
        """
        if not why.strip():
            raise TheiaError("an amendment needs a reason; say why the trial is to be read differently")
        if fixed := [key for key in changes if key not in AMENDABLE]:
            raise TheiaError(f"{', '.join(fixed)} cannot be amended; only {', '.join(AMENDABLE)} can")
        found = next((record for record in self.trials() if trial_id(record) == trial), None)
        if found is None:
            raise TheiaError(f"{self.path} has no trial {trial}; the report names the ids of trials")
        if unknown := set(changes.get("stages", {})) - set(found["stages"]):
            raise TheiaError(f"trial {trial} has no stage {', '.join(sorted(unknown))}")
        amendment = {"amends": trial, "changes": changes, "why": why, "at": now()}
        self.append(amendment)
        return _amended(found, amendment)

    def read(self) -> list[dict[str, Any]]:
        """All trials, as `trials` gives them."""
        return list(self.trials())

    def trials(self) -> Iterator[dict[str, Any]]:
        """Trials with their amendments, one after the other, in the order they were written.

        None if the file does not exist. One record is in memory at a time, so a ledger may be large.

        Raises:
            TheiaError: as `lines` does.
        """
        for _, record in self.numbered_trials():
            yield record

    def numbered_trials(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """As `trials`, each with the number of its line."""
        amendments: dict[str, list[dict[str, Any]]] = {}
        for _, record in self._lines(only=b'"amends"'):
            if "amends" in record:
                amendments.setdefault(record["amends"], []).append(record)
        for number, record in self._lines():
            if "amends" in record:
                continue
            if amendments:
                for amendment in amendments.get(trial_id(record), ()):
                    record = _amended(record, amendment)
            yield number, record

    def is_torn(self) -> bool:
        """Whether a crash tore the last line."""
        if not self.path.exists() or not self.path.stat().st_size:
            return False
        with self.path.open("rb") as stream:
            return _parse(_last_line(stream)[1]) is None

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Keep other processes from writing the ledger in a `with` block.

        Raises:
            TheiaError: if another one does so now, or the file cannot be made.
        """
        try:
            lock = self.path.with_name(f".{self.path.name}.lock").open("w")
        except OSError as error:
            raise TheiaError(
                f"cannot write ledger {self.path}: {error.strerror}; check the folder"
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise TheiaError(
                    f"another evaluation writes {self.path} now; wait for it or choose another ledger"
                ) from None
            yield

    def _lines(self, only: bytes = b"") -> Iterator[tuple[int, dict[str, Any]]]:
        """Number and record of each line, or of those that contain `only`.

        Raises:
            TheiaError: if the file cannot be read, or a line other than a torn last one is no record.
        """
        try:
            if not self.path.exists():
                return
            with self.path.open("rb") as stream:
                for number, line in enumerate(stream, start=1):
                    if only not in line or not line.strip():
                        continue
                    record = _parse(line)
                    if record is not None:
                        yield number, record
                    elif line.endswith(b"\n"):
                        raise TheiaError(
                            f"{self.path}, line {number} is no trial record: "
                            f"{line.strip()[:60].decode(errors='replace')!r}; "
                            "restore the file or remove the line"
                        )
        except OSError as error:
            raise TheiaError(f"cannot read ledger {self.path}: {error.strerror}; check the path") from error

    def _mend(self) -> None:
        """End the file with a whole line: complete one that lacks only its newline, drop a torn one."""
        if not self.path.exists() or not self.path.stat().st_size:
            return
        with self.path.open("r+b") as stream:
            stream.seek(-1, os.SEEK_END)
            if stream.read() == b"\n":
                return
            start, line = _last_line(stream)
            if _parse(line) is None:
                stream.truncate(start)
            else:
                stream.seek(0, os.SEEK_END)
                stream.write(b"\n")
            stream.flush()
            os.fsync(stream.fileno())


def now() -> str:
    """The time, as records have it: ISO 8601, UTC, whole seconds."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _amended(record: dict[str, Any], amendment: dict[str, Any]) -> dict[str, Any]:
    changes = amendment["changes"]
    stages = record["stages"] | changes.get("stages", {})
    return {**record, **changes, "stages": stages, "amendments": [*record.get("amendments", ()), amendment]}


def _last_line(stream: Any, block: int = 1 << 16) -> tuple[int, bytes]:
    """Where the last line of a file that is not empty starts, and the line."""
    end = stream.seek(0, os.SEEK_END)
    tail = b""
    start = end
    while start > 0 and b"\n" not in tail[:-1]:
        start = max(start - block, 0)
        stream.seek(start)
        tail = stream.read(end - start)
    begin = tail.rfind(b"\n", 0, len(tail) - 1) + 1
    return start + begin, tail[begin:]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
