"""A plan: which policies try which scenes in which order, written down and hashed before the first trial.

Each scene of the protocol is tried by every policy, one after the other, before the next; so whatever drifts
(light, a loosening handle, an operator's patience) meets all of them alike. Who goes first is random, and
balanced: among as many scenes as there are policies, each takes each place once.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from theia_core.errors import TheiaError
from theia_core.files import write_json
from theia_core.policies.artefact import policy_folder, read_policy
from theia_core.tasks import Task, get_task
from theia_core.tasks.protocol import Trial

PLAN_NAME = "plan.json"


@dataclass(frozen=True)
class Contestant:
    """A policy that takes part.

    Attributes:
        policy: shipped name or folder.
        policy_id: name@hash, as records carry it.
        encoder_id: name@hash of its encoder.
    """

    policy: str
    policy_id: str
    encoder_id: str


def contestant(policy: str, task_id: str) -> Contestant:
    """The contestant of a policy's shipped name or folder.

    Raises:
        TheiaError: if there is no such policy, it is damaged, or of another task.
    """
    meta = read_policy(policy_folder(policy))
    if meta["task"] != task_id:
        raise TheiaError(f"policy {policy} was trained for the task {meta['task']!r}, not for {task_id!r}")
    return Contestant(policy, f"{meta['name']}@{meta['weights_sha256'][:12]}", meta["encoder_id"])


@dataclass(frozen=True)
class Turn:
    """One trial of one contestant.

    Attributes:
        number: place in the order, from 0.
        trial: the scene.
        contestant: whose turn it is.
    """

    number: int
    trial: Trial
    contestant: Contestant


@dataclass(frozen=True)
class Plan:
    """What is going to be tried.

    Attributes:
        task: the task.
        contestants: the policies.
        seed: evaluation seed: scenes, and their order.
        scenes: number of scenes, each tried by every contestant.
    """

    task: Task
    contestants: tuple[Contestant, ...]
    seed: int
    scenes: int

    def __post_init__(self) -> None:
        """Refuse a plan without contestants, or with one twice."""
        ids = [contestant.policy_id for contestant in self.contestants]
        if not ids:
            raise TheiaError("a plan needs at least one policy")
        if twice := [name for name in ids if ids.count(name) > 1]:
            raise TheiaError(f"policy {twice[0]} is planned twice; name each once")

    @property
    def hash(self) -> str:
        """12 hexadecimal digits that change with the protocol, the policies, the seed and the order."""
        turns = [(turn.trial.index, turn.trial.seed, turn.contestant.policy_id) for turn in self.turns()]
        text = json.dumps([self.task.protocol.hash, self.task.reset, turns])
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def turns(self) -> list[Turn]:
        """All trials in their order, a function of the plan alone."""
        random = np.random.default_rng([self.seed, int(self.task.protocol.hash, 16), 2])
        size = len(self.contestants)
        order: list[Contestant] = []
        scenes = self.task.protocol.trials(self.seed, self.scenes)
        for start in range(0, len(scenes), size):
            # A Latin square in random order: each contestant once in each row and once in each column.
            names, shifts = random.permutation(size), random.permutation(size)
            for shift in shifts[: len(scenes) - start]:
                order += [self.contestants[names[(place + shift) % size]] for place in range(size)]
        trials = [trial for trial in scenes for _ in range(size)]
        return [Turn(number, *pair) for number, pair in enumerate(zip(trials, order, strict=True))]

    def remaining(self, records: Iterable[dict[str, Any]]) -> list[Turn]:
        """Turns that no record counts for yet.

        Raises:
            TheiaError: if a record is of another plan, of a policy that this one does not know, or of a scene
                that is not in it; the ledger is left as it is.
        """
        done: set[tuple[str, int]] = set()
        known = {contestant.policy_id for contestant in self.contestants}
        planned = {turn.trial.index for turn in self.turns()}
        for record in records:
            if record.get("policy") not in known:
                raise TheiaError(
                    f"the ledger holds a trial of policy {record.get('policy')}, which the plan does not "
                    f"know ({', '.join(sorted(known))}); go on with the policies of its {PLAN_NAME}"
                )
            if record.get("protocol_hash") != self.task.protocol.hash:
                raise TheiaError(_edited(str(record.get("protocol_hash")), self.task))
            if record.get("plan_hash", self.hash) != self.hash or record.get("index") not in planned:
                raise TheiaError(
                    f"the ledger holds trial {record.get('index')} of plan {record.get('plan_hash')}, this "
                    f"is plan {self.hash}; go on with the ledger's own {PLAN_NAME}, or begin another ledger"
                )
            if record.get("counted", True):
                done.add((record["policy"], record["index"]))
        return [turn for turn in self.turns() if (turn.contestant.policy_id, turn.trial.index) not in done]

    def write(self, folder: Path) -> Path:
        """Write plan.json into `folder`: everything in words and numbers, the order included."""
        path = folder / PLAN_NAME
        turns = [
            {
                "index": t.trial.index,
                "seed": t.trial.seed,
                "cell": t.trial.cell,
                "policy": t.contestant.policy_id,
            }
            for t in self.turns()
        ]
        write_json(
            path,
            {
                "task": self.task.id,
                "plan_hash": self.hash,
                "protocol_hash": self.task.protocol.hash,
                "protocol": asdict(self.task.protocol),
                "reset": list(self.task.reset),
                "contestants": [asdict(contestant) for contestant in self.contestants],
                "seed": self.seed,
                "scenes": self.scenes,
                "turns": turns,
            },
        )
        return path


def make_plan(task: Task, contestants: Sequence[Contestant], seed: int, scenes: int | None = None) -> Plan:
    """A plan; the complete protocol if `scenes` is None.

    Raises:
        TheiaError: if there is no contestant, one is there twice, or there are no scenes.
    """
    plan = Plan(task, tuple(contestants), seed, task.protocol.trials_total if scenes is None else scenes)
    plan.task.protocol.trials(seed, plan.scenes)
    return plan


def read_plan(path: Path) -> Plan:
    """The plan in a plan.json, checked: its order must still follow from the task's protocol.

    Raises:
        TheiaError: if the file is absent or damaged, or the protocol was edited since.
    """
    try:
        values = json.loads(path.read_text())
        task = get_task(values["task"])
        contestants = tuple(Contestant(**one) for one in values["contestants"])
        plan = Plan(task, contestants, int(values["seed"]), int(values["scenes"]))
        protocol_hash, plan_hash = str(values["protocol_hash"]), str(values["plan_hash"])
    except OSError as error:
        raise TheiaError(f"cannot read the plan {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise TheiaError(
            f"{path} is no plan ({error!r}); restore it, or make a new one with `theia plan`"
        ) from error
    if protocol_hash != task.protocol.hash:
        raise TheiaError(_edited(protocol_hash, task))
    if plan_hash != plan.hash:
        raise TheiaError(
            f"{path} says plan {plan_hash}, what it describes is plan {plan.hash}; it was edited: restore "
            "it, or begin another evaluation"
        )
    return plan


def _edited(found: str, task: Task) -> str:
    return (
        f"the trials were begun under protocol {found}, the protocol of {task.id} is now "
        f"{task.protocol.hash}: it was edited in the middle of a run; restore it, or begin another ledger"
    )
