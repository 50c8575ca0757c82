"""Runs stages in processes of their own, leaves out those that are done, records what was made of what."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from theia_core.errors import TheiaError
from theia_core.files import write_json
from theia_core.pipeline.stage import ABSENT, Stage, hashes
from theia_core.software import software

RECORD, OUTDATED = "pipeline.json", ".outdated"


class PipelineRecord:
    """pipeline.json: of each stage the command, the hashes of inputs and outputs, time and exit code.

    Attributes:
        stages: by name, in the order in which they ran.
    """

    def __init__(self, folder: Path) -> None:
        """Read the record in `folder`, if there is one.

        Raises:
            TheiaError: if it is damaged.
        """
        self._path = folder / RECORD
        self.stages: dict[str, dict[str, Any]] = {}
        if self._path.exists():
            try:
                self.stages = dict(json.loads(self._path.read_text())["stages"])
            except (ValueError, KeyError, TypeError) as error:
                raise TheiaError(
                    f"{self._path} is damaged ({error}); delete it, and everything runs again"
                ) from error

    def put(self, stage: Stage, entry: dict[str, Any]) -> None:
        """Store what is known of a stage."""
        self.stages[stage.name] = entry
        write_json(self._path, {"stages": self.stages})

    def is_done(self, stage: Stage, inputs: dict[str, str]) -> bool:
        """Whether the stage ran to its end with this command and inputs, and its outputs are untouched."""
        entry = self.stages.get(stage.name, {})
        return (
            "code" in entry
            and entry["command"] == list(stage.command)
            and entry["inputs"] == inputs
            and entry["outputs"] == hashes(stage.outputs)
        )

    def is_same_work(self, stage: Stage, inputs: dict[str, str]) -> bool:
        """Whether what lies in the outputs was begun with this command and these inputs, or nothing was."""
        entry = self.stages.get(stage.name)
        return entry is None or (entry["command"] == list(stage.command) and entry["inputs"] == inputs)


def run_pipeline(stages: Sequence[Stage], folder: Path, say: Callable[[str], None] = print) -> PipelineRecord:
    """Run the stages that are not done yet.

    A stage whose command or inputs changed since it ran starts afresh; what it made before is moved to
    `.outdated`. One that was interrupted goes on.

    Args:
        stages: in order.
        folder: receives the record.
        say: told what is done and what is left out.

    Raises:
        TheiaError: if an input is absent, or a stage ends with an exit code that is not good.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record = PipelineRecord(folder)
    for number, stage in enumerate(stages, 1):
        title = f"[{number}/{len(stages)}] {stage.name}"
        inputs = hashes(stage.inputs)
        if absent := [path for path, digest in inputs.items() if digest == ABSENT]:
            raise TheiaError(f"stage {stage.name} needs {absent[0]}, which is not there")
        if record.is_done(stage, inputs):
            say(f"{title}: done already")
            continue
        if not record.is_same_work(stage, inputs):
            _move_aside(stage, folder, say)
        say(f"{title}: theia {' '.join(stage.words)}")
        _run(stage, inputs, record)
    return record


def _run(stage: Stage, inputs: dict[str, str], record: PipelineRecord) -> None:
    entry: dict[str, Any] = {"command": list(stage.command), "inputs": inputs}
    record.put(stage, {**entry, "begun_at": _now()})
    started_s = time.monotonic()
    code = _theia(stage)
    entry |= {
        "outputs": hashes(stage.outputs),
        "code": code,
        "seconds": round(time.monotonic() - started_s, 1),
        "finished_at": _now(),
        "software": software(),
    }
    if code not in stage.good_codes:
        raise TheiaError(
            f"stage {stage.name} ended with exit code {code}; see above, then run the same command again"
        )
    record.put(stage, entry)


def _theia(stage: Stage) -> int:
    """The command in a process of its own: its memory is free again afterwards."""
    command = [sys.executable, "-m", "theia_core.cli", *stage.words]
    if stage.stdout is None:
        return subprocess.run(command).returncode
    done = subprocess.run(command, stdout=subprocess.PIPE)
    stage.stdout.parent.mkdir(parents=True, exist_ok=True)
    stage.stdout.write_bytes(done.stdout)
    return done.returncode


def _move_aside(stage: Stage, folder: Path, say: Callable[[str], None]) -> None:
    place = folder / OUTDATED / f"{stage.name}-{datetime.now().strftime('%Y%m%d-%H%M%S.%f')}"
    for path in stage.outputs:
        if path.exists():
            place.mkdir(parents=True, exist_ok=True)
            path.rename(place / path.name)
            say(f"{path} was made by another command or of other data; moved to {place}")


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
