"""Pairs of policies compared: difference, exact test, Holm's correction, sequential test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from theia_core.evaluation.barnard import barnard_p, holm
from theia_core.evaluation.comparison import PairedCount
from theia_core.evaluation.intervals import independent_difference
from theia_core.evaluation.sequential import SequentialTest
from theia_core.tasks import Task

Records = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Pair:
    """Two policies, a and b, at the last stage.

    Attributes:
        a: title of the first.
        b: title of the second.
        difference: success rate of b minus that of a, over the trials compared.
        ci95: its interval: paired where both tried the same scenes, independent otherwise.
        barnard_p: Barnard's exact test, which takes the trials as independent.
        holm_p: the same, corrected for all pairs that were compared.
        paired: outcomes on the scenes that both tried, None if those differ.
        sequential: the sequential test over those scenes in their order, None likewise.
    """

    a: str
    b: str
    difference: float
    ci95: tuple[float, float]
    barnard_p: float
    holm_p: float
    paired: PairedCount | None
    sequential: SequentialTest | None


def compare_all(
    results: Mapping[str, Records], *, task: Task, pairs: Sequence[tuple[str, str]] | None = None
) -> list[Pair]:
    """Each two of the policies, in the order of their titles, or the pairs that are asked for.

    Args:
        results: title -> trial records of one policy, at least one.
        task: the task that was tried.
        pairs: titles of the two policies of each comparison; fewer tests are corrected less.
    """
    outcomes = {title: _outcomes(records, task.stages[-1]) for title, records in results.items()}
    chosen = list(combinations(results, 2)) if pairs is None else pairs
    compared = [_pair(a, b, outcomes[a], outcomes[b]) for a, b in chosen]
    adjusted = holm([pair.barnard_p for pair in compared])
    return [replace(pair, holm_p=p) for pair, p in zip(compared, adjusted, strict=True)]


@dataclass(frozen=True)
class _Outcomes:
    """One policy's trials by index: index, seed of the scene and success, arrays of equal length."""

    index: np.ndarray
    seed: np.ndarray
    success: np.ndarray


def _outcomes(records: Records, stage: str) -> _Outcomes:
    columns = [
        (record["index"], record.get("seed") or -1, bool(record["stages"][stage])) for record in records
    ]
    index, seed, success = np.array(columns, np.int64).T
    return _Outcomes(index, seed, success.astype(bool))


def _pair(a: str, b: str, ours: _Outcomes, theirs: _Outcomes) -> Pair:
    a_successes, a_trials = int(ours.success.sum()), len(ours.success)
    b_successes, b_trials = int(theirs.success.sum()), len(theirs.success)
    p = barnard_p(a_successes, a_trials, b_successes, b_trials)
    shared, first, second = np.intersect1d(ours.index, theirs.index, return_indices=True)
    if not len(shared) or (ours.seed[first] != theirs.seed[second]).any():
        difference = b_successes / b_trials - a_successes / a_trials
        interval = independent_difference(a_successes, a_trials, b_successes, b_trials)
        return Pair(a, b, difference, interval, p, p, None, None)
    one, other = ours.success[first], theirs.success[second]
    counts = (one & other, one & ~other, ~one & other, ~one & ~other)
    paired = PairedCount(*(int(count.sum()) for count in counts))
    test = SequentialTest().after(zip(one.tolist(), other.tolist(), strict=True))
    return Pair(a, b, paired.difference, paired.difference_ci95, p, p, paired, test)
