"""What is compared: tasks with their demonstrations and trials, and encoders; typed, strict, from YAML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from theia_core.errors import TheiaError
from theia_core.tasks import get_task
from theia_sim.envs import TASKS


@dataclass(frozen=True)
class Demonstrations:
    """One part of a task's demonstrations, as `theia collect` records it."""

    episodes: int
    seed: int = 0
    noise_mm: float = 0.0


@dataclass(frozen=True)
class ComparedTask:
    """A task of the comparison.

    Attributes:
        trials: trials of every policy.
        demonstrations: what every policy learns from.
        train: options of `theia train`, without dashes in front, the same for every encoder.
    """

    trials: int
    demonstrations: tuple[Demonstrations, ...]
    train: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ComparedEncoder:
    """An encoder of the comparison.

    Attributes:
        encoder: shipped name or folder.
        what: what it is, for the report.
        make: commands that make the folder where it is absent, "python" and "theia" first.
        make_hours: how long these take on two cores.
        spatial: whether its tokens differ from place to place, so that the entropy of their norms means
            something.
        against: title of the encoder that it is compared with; None for the first one, which is compared with
            none.
    """

    encoder: str
    what: str
    make: tuple[tuple[str, ...], ...] = ()
    make_hours: float = 0.0
    spatial: bool = True
    against: str | None = None


@dataclass(frozen=True)
class Comparison:
    """The whole comparison.

    Attributes:
        out: folder of everything that is made.
        evaluation_seed: seed of the trials, the same for all.
        training_seeds: a policy is trained with each.
        workers: processes that roll out and record, and trainings at once.
        tasks: id -> what is done.
        encoders: title -> encoder.
    """

    out: Path
    evaluation_seed: int
    training_seeds: tuple[int, ...]
    workers: int
    tasks: Mapping[str, ComparedTask]
    encoders: Mapping[str, ComparedEncoder]

    def demonstration_folders(self, task: str) -> list[Path]:
        """Folders of a task's demonstrations."""
        return [
            self.out / "demonstrations" / f"{task}_{place}"
            for place in range(len(self.tasks[task].demonstrations))
        ]

    def policy_folder(self, task: str, title: str, seed: int) -> Path:
        """Folder of the policy that was trained for a task on an encoder with a seed."""
        return self.out / "policies" / task / f"{title}-seed{seed}"

    def pairs(self) -> list[tuple[str, str]]:
        """Titles of each two encoders whose policies are tested for a difference."""
        first = next(iter(self.encoders))
        others = [(one.against or first, title) for title, one in self.encoders.items()]
        return [(a, b) for a, b in others if a != b]

    def ledger(self, task: str) -> Path:
        """The ledger of a task."""
        return self.out / f"{task}.jsonl"


def read_comparison(path: Path) -> Comparison:
    """The comparison that a YAML file describes.

    Raises:
        TheiaError: if the file is absent, is no YAML, or has an entry that is unknown, missing or of the
            wrong kind.
    """
    try:
        values = yaml.safe_load(path.read_text())
    except OSError as error:
        raise TheiaError(f"cannot read {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise TheiaError(f"{path} is no YAML: {error}") from error
    entries = _entries(
        values, f"{path}", {"out", "evaluation_seed", "training_seeds", "workers", "tasks", "encoders"}
    )
    try:
        out = Path(entries["out"])
        comparison = Comparison(
            out=out,
            evaluation_seed=int(entries["evaluation_seed"]),
            training_seeds=tuple(map(int, entries.get("training_seeds", (0,)))),
            workers=int(entries.get("workers", 2)),
            tasks={name: _task(name, one) for name, one in entries["tasks"].items()},
            encoders={str(name): _encoder(str(name), one, out) for name, one in entries["encoders"].items()},
        )
    except KeyError as error:
        raise TheiaError(f"{path} lacks the entry {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise TheiaError(f"{path} has an entry of the wrong kind ({error})") from error
    if not comparison.tasks or not comparison.encoders or not comparison.training_seeds:
        raise TheiaError(f"{path} compares nothing; give tasks, encoders and training_seeds")
    for title, one in comparison.encoders.items():
        if one.against is not None and (one.against not in comparison.encoders or one.against == title):
            raise TheiaError(f"{path} compares {title} with {one.against!r}, which is no other encoder of it")
    return comparison


def _task(name: str, values: Any) -> ComparedTask:
    if name not in TASKS:
        raise TheiaError(f"task {name!r} of the comparison is not simulated; there are {', '.join(TASKS)}")
    entries = _entries(values, f"task {name}", {"trials", "demonstrations", "train"})
    parts = tuple(
        Demonstrations(**_entries(part, f"demonstrations of {name}", {"episodes", "seed", "noise_mm"}))
        for part in entries.get("demonstrations") or [{"episodes": get_task(name).demonstrations}]
    )
    trials = int(entries.get("trials", get_task(name).protocol.trials_total))
    if trials < 1 or any(part.episodes < 1 for part in parts):
        raise TheiaError(f"task {name} of the comparison needs at least one trial and one demonstration")
    return ComparedTask(trials, parts, dict(entries.get("train") or {}))


def _encoder(name: str, values: Any, out: Path) -> ComparedEncoder:
    if Path(name).name != name:
        raise TheiaError(f"encoder {name!r} of the comparison must be a plain name; folders carry it")
    entries = _entries(
        values, f"encoder {name}", {"encoder", "what", "make", "make_hours", "spatial", "against"}
    )
    commands = tuple(tuple(_filled(word, out) for word in command) for command in entries.get("make") or ())
    if any(command[0] not in ("python", "theia") for command in commands):
        raise TheiaError(f"a command of encoder {name} must begin with python or theia")
    return ComparedEncoder(
        encoder=_filled(entries["encoder"], out),
        what=str(entries.get("what", "")),
        make=commands,
        make_hours=float(entries.get("make_hours", 0.0)),
        spatial=bool(entries.get("spatial", True)),
        against=entries.get("against"),
    )


def _filled(word: Any, out: Path) -> str:
    return str(word).replace("{out}", str(out))


def _entries(values: Any, where: str, known: set[str]) -> dict[str, Any]:
    """A mapping with known entries only."""
    if not isinstance(values, dict):
        raise TheiaError(f"{where} must be a mapping, not {values!r}")
    if unknown := sorted(set(values) - known):
        raise TheiaError(
            f"{where} has unknown entries {', '.join(unknown)}; known: {', '.join(sorted(known))}"
        )
    return values
