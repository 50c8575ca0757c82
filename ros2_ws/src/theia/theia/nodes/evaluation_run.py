"""The folder of an evaluation: its plan, its ledger, and what both say is left to do."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theia_core.errors import TheiaError
from theia_core.evaluation import Ledger
from theia_core.evaluation.plan import PLAN_NAME, Contestant, Plan, Turn, make_plan, read_plan
from theia_core.evaluation.sequential import SequentialTest
from theia_core.tasks import Task

if TYPE_CHECKING:
    from theia.nodes.evaluator import EvaluatorParameters

LEDGER_NAME = "ledger.jsonl"


@dataclass(frozen=True)
class EvaluationRun:
    """An evaluation on the disk.

    Attributes:
        folder: where everything of it lies.
        plan: what is tried.
        ledger: what was.
    """

    folder: Path
    plan: Plan
    ledger: Ledger

    @classmethod
    def open(
        cls, parameters: "EvaluatorParameters", task: Task, contestants: list[Contestant]
    ) -> "EvaluationRun":
        """Begin a run, or go on with one.

        Raises:
            TheiaError: if the folder cannot be made, or the run to go on with is of another task, of other
                policies or of a protocol that was edited since.
        """
        if parameters.resume:
            folder = Path(parameters.resume)
            plan = read_plan(folder / PLAN_NAME)
            given, planned = ([one.policy_id for one in ones] for ones in (contestants, plan.contestants))
            if plan.task.id != task.id or given != planned:
                raise TheiaError(
                    f"{folder} is an evaluation of {', '.join(planned)} at {plan.task.id}, and this is one "
                    f"of {', '.join(given)} at {task.id}; start it with the same task and policies"
                )
        else:
            folder = Path(parameters.output) / datetime.now().strftime("%Y%m%d-%H%M%S")
            plan = make_plan(task, contestants, parameters.seed, parameters.trials or None)
            try:
                folder.mkdir(parents=True)
            except OSError as error:
                raise TheiaError(
                    f"cannot make the folder {folder}: {error.strerror}; choose another output"
                ) from None
            plan.write(folder)
        folder = folder.resolve()
        return cls(folder, plan, Ledger(folder / LEDGER_NAME))

    def records(self) -> list[dict[str, Any]]:
        """Trials that count, in the order they were run."""
        return [record for record in self.ledger.trials() if record.get("counted", True)]

    def remaining(self) -> list[Turn]:
        """Turns that are left.

        Raises:
            TheiaError: if the ledger holds what is not of this plan.
        """
        return self.plan.remaining(self.ledger.trials())

    def keep(self, record: dict[str, Any]) -> None:
        """Write a trial down; it is on the disk when this returns."""
        self.ledger.append(record)

    def attempt(self, turn: Turn) -> int:
        """Which attempt at this turn comes next, from 1."""
        policy, index = turn.contestant.policy_id, turn.trial.index
        return 1 + sum(r["policy"] == policy and r["index"] == index for r in self.ledger.trials())

    def verdict(self) -> str:
        """What the sequential test says of two policies, empty while it says nothing."""
        if len(self.plan.contestants) != 2:
            return ""
        last = self.plan.task.stages[-1]
        a, b = (
            {r["index"]: r["stages"][last] for r in self.records() if r["policy"] == one.policy_id}
            for one in self.plan.contestants
        )
        both = [
            (a[turn.index], b[turn.index]) for turn in self._scenes() if turn.index in a and turn.index in b
        ]
        test = SequentialTest().after(both)
        return f"the policies differ, p {test.p_value:.3g}" if test.verdict in ("a", "b") else ""

    def film_path(self) -> Path:
        """A film for this session; each one that goes on has its own."""
        name, number = self.folder / f"{self.plan.task.id}.mp4", 1
        while name.exists():
            number += 1
            name = self.folder / f"{self.plan.task.id}_{number}.mp4"
        return name

    def episode_name(self, turn: Turn) -> str:
        """A name for the episode of the next attempt at a turn; it does not say whose it is."""
        again = f"_{attempt}" if (attempt := self.attempt(turn)) > 1 else ""
        return f"{datetime.now():%Y%m%d-%H%M%S}_trial_{turn.number:03d}{again}"

    def relative(self, path: str) -> str:
        """A path as the ledger names it; empty stays empty."""
        return os.path.relpath(Path(path).resolve(), self.folder) if path else ""

    def _scenes(self) -> list[Any]:
        return self.plan.task.protocol.trials(self.plan.seed, self.plan.scenes)
