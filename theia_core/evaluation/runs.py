"""From ledgers to runs: the trials of each policy that count, and all that deviates from the protocol."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from theia_core.errors import TheiaError
from theia_core.evaluation.identity import RUN_KEYS, run_key, trial_id
from theia_core.evaluation.ledger import Ledger
from theia_core.tasks import Task, get_task

_KEPT_WHERE_GIVEN = ("failure", "notes", "video", "episode")
_NEEDED = {"task", "index", "stages"}
_PROVENANCE = ("software", "machine", "transport")


@dataclass(frozen=True)
class Deviation:
    """Something that is not as the protocol says.

    Attributes:
        kind: what, in a few words; deviations of one kind are listed together.
        detail: which trial or run, and how.
    """

    kind: str
    detail: str


@dataclass
class Run:
    """One evaluation of one policy, slim enough for 100,000 trials in memory.

    Attributes:
        task: the task that was tried.
        identity: values of `theia_core.evaluation.identity.RUN_KEYS`.
        records: trials that count, slim: index, seed, steps, stages, cell, and where there is one failure,
            notes, video, episode; sorted by index.
        folder: of its ledger; videos and episodes are relative to it.
        ledgers: the files that it was read from.
        refusals: reason -> how often the guard refused.
        holds: reason -> how often the guard held.
        stage_s: stage -> seconds until it was reached, of those trials that reached it.
        latencies: measurement -> (p50, p95, max) of each trial in ms.
        provenance: what -> values that occur.
        first_at: when the first trial was written, "" if unknown.
        last_at: when the last one was.
    """

    task: Task
    identity: dict[str, Any]
    folder: Path
    records: list[dict[str, Any]] = field(default_factory=list)
    ledgers: list[Path] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    holds: Counter[str] = field(default_factory=Counter)
    stage_s: dict[str, list[float]] = field(default_factory=dict)
    latencies: dict[str, list[tuple[float, float, float]]] = field(default_factory=dict)
    provenance: dict[str, Counter[str]] = field(default_factory=dict)
    first_at: str = ""
    last_at: str = ""

    @property
    def seed(self) -> int | None:
        """Seed of the evaluation, None where it is not known."""
        return self.identity["eval_seed"]

    @property
    def latency_ms(self) -> dict[str, dict[str, float]]:
        """Medians over the trials of their p50 and p95, and the largest value, of each measurement [ms]."""
        summaries = {}
        for name, values in self.latencies.items():
            p50, p95, largest = np.array(values).T
            summaries[name] = {
                "p50": float(np.median(p50)),
                "p95": float(np.median(p95)),
                "max": float(largest.max()),
            }
        return summaries

    @property
    def failures(self) -> list[dict[str, Any]]:
        """Trials that did not reach the last stage."""
        return [record for record in self.records if not record["stages"][self.task.stages[-1]]]


@dataclass
class Evaluations:
    """What ledgers hold.

    Attributes:
        runs: the evaluations, in the order of their first trials.
        deviations: what is not as the protocols say.
    """

    runs: list[Run]
    deviations: list[Deviation]

    @property
    def trials(self) -> int:
        """Number of trials that count, of all runs."""
        return sum(len(run.records) for run in self.runs)


def gather(paths: Iterable[Path]) -> Evaluations:
    """Read ledgers; nothing is lost: what does not count is among the deviations, with the reason.

    Of a trial that is there twice, the first record counts.

    Raises:
        TheiaError: if a ledger is absent or damaged, a record is no trial, or its task is unknown.
    """
    reader = _Reader()
    for path in paths:
        reader.read(path)
    runs = list(reader.runs.values())
    for run in runs:
        run.records.sort(key=lambda record: record["index"])
    return Evaluations(runs, [*reader.deviations, *_against_protocols(runs)])


class _Reader:
    """Sorts records into runs, one at a time; equal cells, outcomes and texts are kept once."""

    def __init__(self) -> None:
        self.runs: dict[tuple[Any, ...], Run] = {}
        self.deviations: list[Deviation] = []
        self._seen: dict[tuple[Any, ...], dict[int, tuple[Path, int, dict[str, bool]]]] = {}
        self._texts: dict[str, str] = {}
        self._values: dict[str, Any] = {}

    def read(self, path: Path) -> None:
        if not path.is_file():
            raise TheiaError(f"no ledger {path}; `theia eval ... --ledger {path}` writes one")
        ledger = Ledger(path)
        if ledger.is_torn():
            self._deviate("torn line", f"a crash tore the last line of {path}; that trial counts as not run")
        for number, record in ledger.numbered_trials():
            self._take(record, path, number)

    def _take(self, record: dict[str, Any], path: Path, number: int) -> None:
        if not record.keys() >= _NEEDED:
            absent = ", ".join(key for key in ("task", "index", "stages") if key not in record)
            raise TheiaError(f"a record of {path} lacks {absent} (line {number}); is it a ledger of trials?")
        key = run_key(record)
        if key not in self.runs:
            task = get_task(record["task"])
            self.runs[key] = Run(task, dict(zip(RUN_KEYS, key, strict=True)), path.parent)
        run, stages = self.runs[key], record["stages"]
        if not all(stage in stages for stage in run.task.stages):
            absent = ", ".join(stage for stage in run.task.stages if stage not in stages)
            raise TheiaError(
                f"trial {record['index']} has no score for {absent} ({path}, line {number}); score it again"
            )
        for amendment in record.get("amendments", ()):
            self._deviate("amended", f"{_name(record)}: {_changes(amendment)}, because {amendment['why']}")
        if not record.get("counted", True):
            reason = record.get("why_not_counted") or "no reason given"
            self._deviate("not counted", f"{_name(record)}: {reason}")
            return
        seen = self._seen.setdefault(key, {})
        if record["index"] in seen:
            first, line, result = seen[record["index"]]
            other = "the same result" if result == stages else "another result"
            self._deviate(
                "recorded twice",
                f"trial {record['index']} of {record.get('policy')}: {first}, line {line} counts, "
                f"{path}, line {number} has {other}",
            )
            return
        self._add(run, record, path)
        seen[record["index"]] = path, number, run.records[-1]["stages"]

    def _add(self, run: Run, record: dict[str, Any], path: Path) -> None:
        slim = {
            "index": record["index"],
            "seed": record.get("seed"),
            "steps": record.get("steps"),
            "stages": self._once(record["stages"]),
            "cell": self._once(record.get("cell", {})),
        }
        for key in _KEPT_WHERE_GIVEN:
            if value := record.get(key):
                slim[key] = self._once(value)
        run.records.append(slim)
        if path not in run.ledgers:
            run.ledgers.append(path)
        run.refusals.update(record.get("guard_refusals") or {})
        run.holds.update(record.get("guard_holds") or {})
        for stage, step in (record.get("stage_steps") or {}).items():
            run.stage_s.setdefault(stage, []).append(step / run.task.control_rate_hz)
        for name, summary in (record.get("latency") or {}).items():
            if "p50" in summary:
                run.latencies.setdefault(name, []).append((summary["p50"], summary["p95"], summary["max"]))
        for name in _PROVENANCE:
            if name in record:
                run.provenance.setdefault(name, Counter())[record[name]] += 1
        if at := record.get("at", ""):
            run.first_at, run.last_at = min(run.first_at or at, at), max(run.last_at, at)

    def _once(self, value: Any) -> Any:
        """The first of equal values, so that a hundred thousand trials share a few objects."""
        if isinstance(value, str):
            return self._texts.setdefault(value, value)
        return self._values.setdefault(repr(value), value)

    def _deviate(self, kind: str, detail: str) -> None:
        self.deviations.append(Deviation(kind, detail))


def _name(record: dict[str, Any]) -> str:
    return f"trial {record['index']} of {record.get('policy')} ({trial_id(record)})"


def _changes(amendment: dict[str, Any]) -> str:
    changes = dict(amendment["changes"])
    parts = [f"{stage} {'yes' if reached else 'no'}" for stage, reached in changes.pop("stages", {}).items()]
    return ", ".join([*parts, *(f"{name} {value}" for name, value in changes.items())])


def _against_protocols(runs: list[Run]) -> list[Deviation]:
    """What the runs lack, or have otherwise than their protocols say."""
    found = []
    hashes: dict[tuple[Any, ...], set[str]] = {}
    for run in runs:
        key = tuple(run.identity[name] for name in RUN_KEYS if name != "protocol_hash")
        hashes.setdefault(key, set()).add(str(run.identity["protocol_hash"]))
    for key, several in hashes.items():
        if len(several) > 1:
            names = " and ".join(sorted(several))
            found.append(
                Deviation("protocol edited", f"{key[1]}, {key[0]}: trials of protocols {names} are apart")
            )
    for run in runs:
        found += _of_run(run)
    return found


def _of_run(run: Run) -> list[Deviation]:
    who, protocol = f"{run.identity['policy']}, {run.task.id}", run.task.protocol
    found = []
    if not run.identity["policy"]:
        found.append(
            Deviation("unknown policy", f"{len(run.records)} trials of {run.task.id} do not say whose")
        )
    if run.identity["protocol_hash"] != protocol.hash:
        found.append(
            Deviation(
                "other protocol",
                f"{who}: protocol {run.identity['protocol_hash']}; the protocol has changed since, "
                f"today's is {protocol.hash}",
            )
        )
        return found
    last = run.records[-1]["index"] if run.records else -1
    asked = max(protocol.trials_total, last + 1)
    if missing := asked - len(run.records):
        found.append(Deviation("incomplete", f"{who}: {missing} of {asked} trials are missing"))
    if run.seed is None or last < 0:
        return found
    planned = protocol.trials(run.seed, last + 1)
    for record in run.records:
        trial = planned[record["index"]]
        if (record.get("seed"), record["cell"]) != (trial.seed, trial.cell):
            found.append(
                Deviation("other scene", f"{who}: trial {trial.index} was not of the scene of its turn")
            )
    return found
