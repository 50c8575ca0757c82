"""Two policies on the same trials: on how many they differ, and how likely chance alone would do that."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scipy.special import bdtr

from theia_core.errors import TheiaError
from theia_core.evaluation.barnard import barnard_p
from theia_core.evaluation.intervals import paired_difference
from theia_core.tasks import Task

_NAMES = ("policy", "encoder", "execution")


@dataclass(frozen=True)
class PairedCount:
    """One stage of two policies, a and b, on the same trials.

    Attributes:
        both: trials in which both reached it.
        only_a: trials in which only a did.
        only_b: trials in which only b did.
        neither: trials in which none did.
    """

    both: int
    only_a: int
    only_b: int
    neither: int

    @property
    def trials(self) -> int:
        """Number of trials."""
        return self.both + self.only_a + self.only_b + self.neither

    @property
    def difference(self) -> float:
        """Success rate of b minus that of a."""
        return (self.only_b - self.only_a) / self.trials

    @property
    def difference_ci95(self) -> tuple[float, float]:
        """95 % interval of the difference (Newcombe 1998, method 10)."""
        return paired_difference(self.both, self.only_a, self.only_b, self.neither)

    @property
    def p_value(self) -> float:
        """Two-sided exact McNemar test of equal rates: a binomial test of the discordant trials."""
        discordant = self.only_a + self.only_b
        return (
            min(1.0, 2 * float(bdtr(min(self.only_a, self.only_b), discordant, 0.5))) if discordant else 1.0
        )


def compare(
    a: Sequence[dict[str, Any]], b: Sequence[dict[str, Any]], *, task: Task
) -> dict[str, PairedCount]:
    """Paired counts of each stage over the trials that two policies both ran.

    Args:
        a: records of the first policy, as in the ledger.
        b: records of the second policy.
        task: the task that was tried.

    Raises:
        TheiaError: if they share no trial, or a shared trial was not of the same scene.
    """
    firsts, seconds = ({record["index"]: record for record in records} for records in (a, b))
    shared = sorted(firsts.keys() & seconds.keys())
    if not shared:
        raise TheiaError("the two policies share no trial; run both on the same trials to compare them")
    both = [(firsts[index], seconds[index]) for index in shared]
    for one, other in both:
        if (one["seed"], one["cell"]) != (other["seed"], other["cell"]):
            raise TheiaError(
                f"trial {one['index']} was of seed {one['seed']} and of seed "
                f"{other['seed']}; compare evaluations of one protocol and seed"
            )
    counts = {}
    for stage in task.stages:
        pairs = Counter((bool(one["stages"][stage]), bool(other["stages"][stage])) for one, other in both)
        outcomes = ((True, True), (True, False), (False, True), (False, False))
        counts[stage] = PairedCount(*(pairs[outcome] for outcome in outcomes))
    return counts


def comparison_entry(
    a: Sequence[dict[str, Any]], b: Sequence[dict[str, Any]], *, task: Task
) -> dict[str, Any]:
    """`compare` as plain JSON values, with the names of policies, encoders and executions.

    Raises:
        TheiaError: as for `compare`.
    """
    return {
        "a": {key: a[0][key] for key in _NAMES if key in a[0]},
        "b": {key: b[0][key] for key in _NAMES if key in b[0]},
        "stages": {
            stage: {
                "trials": count.trials,
                "both": count.both,
                "only_a": count.only_a,
                "only_b": count.only_b,
                "neither": count.neither,
                "difference": count.difference,
                "difference_ci95": list(count.difference_ci95),
                "mcnemar_p": count.p_value,
                "barnard_p": barnard_p(
                    count.both + count.only_a, count.trials, count.both + count.only_b, count.trials
                ),
            }
            for stage, count in compare(a, b, task=task).items()
        },
    }
