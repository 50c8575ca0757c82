"""From trial records to the result of an evaluation."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from theia_core.errors import TheiaError
from theia_core.evaluation.intervals import clopper_pearson
from theia_core.evaluation.jumps import summarise_jumps
from theia_core.evaluation.latency import latency_summary
from theia_core.tasks import Task

_SAME_IN_ALL = ("task", "policy", "encoder", "protocol_hash", "simulated")
_SAME_WHERE_GIVEN = ("execution", "latency_s", "noise_mm")
_SAID_ONCE = (*_SAME_IN_ALL, *_SAME_WHERE_GIVEN, "eval_seed", "latency_ms", "software", "machine")


@dataclass(frozen=True)
class StageCount:
    """Successes of one stage, with the exact 95 % interval of its rate."""

    successes: int
    trials: int
    ci95: tuple[float, float]


def count_stages(records: Sequence[dict[str, Any]], task: Task) -> dict[str, StageCount]:
    """Successes of each stage of the task.

    Raises:
        TheiaError: if a record lacks a stage.
    """
    for record in records:
        if absent := [stage for stage in task.stages if stage not in record.get("stages", {})]:
            raise TheiaError(
                f"trial {record.get('index')} has no score for {', '.join(absent)}; score it again"
            )
    counts = {}
    for stage in task.stages:
        successes = sum(bool(record["stages"][stage]) for record in records)
        counts[stage] = StageCount(successes, len(records), clopper_pearson(successes, len(records)))
    return counts


def count_conditional(records: Sequence[dict[str, Any]], task: Task) -> dict[str, StageCount]:
    """Successes of each stage but the first among the trials that reached the stage before it.

    Raises:
        TheiaError: if a record lacks a stage.
    """
    counts = {}
    for before, stage in pairwise(task.stages):
        came_so_far = [record for record in records if record["stages"][before]]
        counts[stage] = count_stages(came_so_far, task)[stage]
    return counts


def count_groups(records: Sequence[dict[str, Any]], task: Task) -> dict[str, dict[str, StageCount]]:
    """Successes of each stage in each group of the task's protocol that was tried; empty without groups.

    Raises:
        TheiaError: if a record lacks a stage.
    """
    counts = {}
    for group in task.protocol.groups:
        own = [record for record in records if task.protocol.group_of(record["cell"]) == group]
        if own:
            counts[group] = count_stages(own, task)
    return counts


def summarise(records: Sequence[dict[str, Any]], *, task: Task, seed: int | None) -> dict[str, Any]:
    """The result of one evaluation, as `theia eval --json` writes it.

    Args:
        records: one dict a trial, keys as in the ledger: task, policy, encoder, protocol_hash, simulated,
            index, seed, cell, stages, steps, failure, guard_refusals; "latency_ms", where measured, holds a
            list of samples for each name; execution, latency_s, noise_mm and jumps where they are known.
        task: the task that was tried.
        seed: seed of the evaluation, None where it is not known.

    Returns:
        task, policy, encoder, protocol_hash, seed, simulated, stages {name: {successes, trials, ci95}},
        conditional (the same, among the trials that reached the stage before), trials, guard_refusals
        {reason: count}, latency_ms {name: {n, p50, p95, max}}; where the protocol has groups, "groups" with
        the same as stages for each; execution, latency_s, noise_mm and jumps (as `summarise_jumps` gives
        them) where known.

    Raises:
        TheiaError: if there are no records, they are not all of one policy, encoder, protocol and kind of
            robot, one trial is there twice, or a stage was not scored.
    """
    if not records:
        raise TheiaError(f"no trials of {task.id} to summarise; run at least one")
    common = {key: _the_one(records, key) for key in _SAME_IN_ALL}
    given = {key: _the_one(records, key) for key in _SAME_WHERE_GIVEN}
    common |= {key: value for key, value in given.items() if value is not None}
    if common["task"] != task.id:
        raise TheiaError(f"these are trials of {common['task']}, not of {task.id}")
    counted = Counter(record["index"] for record in records)
    if doubled := sorted(index for index, times in counted.items() if times > 1):
        raise TheiaError(
            f"trial {doubled[0]} is in the records {counted[doubled[0]]} times; keep one of them"
        )
    refusals: Counter[str] = Counter()
    samples: dict[str, list[float]] = {}
    for record in records:
        refusals.update(record.get("guard_refusals") or {})
        for name, values in (record.get("latency_ms") or {}).items():
            samples.setdefault(name, []).extend(values)
    groups = {group: _as_json(counts) for group, counts in count_groups(records, task).items()}
    return {
        **common,
        "seed": seed,
        "stages": _as_json(count_stages(records, task)),
        "conditional": _as_json(count_conditional(records, task)),
        **({"groups": groups} if groups else {}),
        **({"jumps": jumps} if (jumps := summarise_jumps(records)) else {}),
        "trials": [
            {key: value for key, value in record.items() if key not in _SAID_ONCE}
            for record in sorted(records, key=lambda record: record["index"])
        ],
        "guard_refusals": dict(refusals),
        "latency_ms": {name: latency_summary(values) for name, values in samples.items()},
    }


def _as_json(counts: dict[str, StageCount]) -> dict[str, dict[str, Any]]:
    return {
        stage: {"successes": count.successes, "trials": count.trials, "ci95": list(count.ci95)}
        for stage, count in counts.items()
    }


def _the_one(records: Sequence[dict[str, Any]], key: str) -> Any:
    """The value that all records share."""
    values = {record.get(key) for record in records}
    if len(values) > 1:
        found = " and ".join(sorted(map(repr, values)))
        raise TheiaError(f"the trials are not of one {key.replace('_', ' ')}: {found}; summarise them apart")
    return values.pop()
