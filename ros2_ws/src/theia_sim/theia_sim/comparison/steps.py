"""The steps of a comparison, each a command of `theia` that goes on where it was interrupted."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from theia_core.errors import TheiaError
from theia_core.evaluation import Ledger
from theia_core.files import write_json
from theia_core.policies.artefact import DESCRIPTION
from theia_sim.comparison.config import ComparedEncoder, Comparison

_THEIA = (sys.executable, "-m", "theia_core.cli")


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        kind: "make", "collect", "train" or "eval".
        title: what it does, for people.
        command: words of the command line.
        left: how much of it is left: episodes, trials, or 1; 0 if it is done.
        task: the task that it is for; empty when an encoder is made.
        finish: called when the command has ended well.
        log: file that receives what it prints, so that it can run beside others; None for our own output.
    """

    kind: str
    title: str
    command: tuple[str, ...]
    left: Callable[[], int]
    task: str = ""
    finish: Callable[[], None] = lambda: None
    log: Path | None = None


def steps(comparison: Comparison) -> list[Step]:
    """All steps in their order; what is done stays in the list and has nothing left."""
    found = [step for title, encoder in comparison.encoders.items() for step in _making(title, encoder)]
    for task in comparison.tasks:
        found += _collecting(comparison, task)
        found += _training(comparison, task)
        found.append(_evaluating(comparison, task))
    return found


def run_step(step: Step) -> None:
    """Run a step's command, its output on ours or in its log.

    Raises:
        TheiaError: if it fails.
    """
    if step.log is None:
        code = subprocess.run(step.command).returncode
    else:
        step.log.parent.mkdir(parents=True, exist_ok=True)
        with step.log.open("ab") as log:
            code = subprocess.run(step.command, stdout=log, stderr=log).returncode
    if code:
        where = "above" if step.log is None else f"the end of {step.log}"
        raise TheiaError(f"{step.title} ended with exit code {code}; see {where}, then go on with --resume")
    step.finish()


def _making(title: str, encoder: ComparedEncoder) -> list[Step]:
    """Encoders are made in one go: what a broken one left is made again by its last command."""
    folder = Path(encoder.encoder)
    return [
        Step(
            "make",
            f"make {title} ({place} of {len(encoder.make)})",
            (sys.executable, *words[1:]) if words[0] == "python" else (*_THEIA, *words[1:]),
            lambda: int(not _is_encoder(folder)),
        )
        for place, words in enumerate(encoder.make, start=1)
    ]


def _is_encoder(folder: Path) -> bool:
    return (folder / "encoder.json").is_file() or (folder / "model.safetensors").is_file()


def _collecting(comparison: Comparison, task: str) -> list[Step]:
    found = []
    parts = comparison.tasks[task].demonstrations
    for folder, part in zip(comparison.demonstration_folders(task), parts, strict=True):
        words = (*_THEIA, "collect", task, "--episodes", str(part.episodes), "--seed", str(part.seed))
        words += ("--noise-mm", f"{part.noise_mm:g}", "--out", str(folder))
        words += ("--workers", str(comparison.workers))
        # An episode in which the expert failed is not kept, and is tried once: the note says that all were.
        note = folder / "collected.json"
        found.append(
            Step(
                "collect",
                f"record {part.episodes} demonstrations of {task} in {folder}",
                words,
                lambda part=part, folder=folder, note=note: (
                    0
                    if _noted(note) == part.episodes
                    else max(part.episodes - len(list(folder.glob("*.mcap"))), 1)
                ),
                task=task,
                finish=lambda part=part, note=note: write_json(note, {"episodes": part.episodes}),
            )
        )
    return found


def _noted(path: Path) -> int | None:
    return int(json.loads(path.read_text())["episodes"]) if path.is_file() else None


def _training(comparison: Comparison, task: str) -> list[Step]:
    threads = max((os.cpu_count() or 1) // comparison.workers, 1)
    found = []
    for seed in comparison.training_seeds:
        for title, encoder in comparison.encoders.items():
            out = comparison.policy_folder(task, title, seed)
            words = (*_THEIA, "train", task, "--data", *map(str, comparison.demonstration_folders(task)))
            words += ("--encoder", encoder.encoder, "--seed", str(seed), "--threads", str(threads))
            words += ("--out", str(out))
            for name, value in comparison.tasks[task].train.items():
                words += (f"--{name}", str(value))
            if out.is_dir():
                words += ("--resume",)
            found.append(
                Step(
                    "train",
                    f"train {task} on {title}, seed {seed}",
                    words,
                    lambda out=out: int(not (out / DESCRIPTION).is_file()),
                    task=task,
                    log=out.with_name(f"{out.name}.log"),
                )
            )
    return found


def _evaluating(comparison: Comparison, task: str) -> Step:
    folders = [
        comparison.policy_folder(task, title, seed)
        for seed in comparison.training_seeds
        for title in comparison.encoders
    ]
    trials, ledger = comparison.tasks[task].trials, comparison.ledger(task)
    words = (*_THEIA, "eval", task, "--trials", str(trials), "--seed", str(comparison.evaluation_seed))
    words += ("--workers", str(comparison.workers), "--ledger", str(ledger), "--resume")
    # A policy remembers the name of its encoder, which leads to no folder: both are given.
    for encoder in comparison.encoders.values():
        words += ("--encoder", encoder.encoder)
    for folder in folders:
        words += ("--policy", str(folder))

    def left() -> int:
        held = {(r.get("policy"), r.get("index")) for r in Ledger(ledger).trials()}
        return max(trials * len(folders) - len(held), 0)

    title = f"{trials} trials of {task} for each of {len(folders)} policies"
    return Step("eval", title, words, left, task)
