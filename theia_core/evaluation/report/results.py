"""Success rates with their intervals: a table as the paper's Table 2, forest plots, and comparisons."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import combinations

from theia_core.analysis.page.html import note, section, table
from theia_core.analysis.page.interval_chart import Interval, interval_chart
from theia_core.evaluation.intervals import clopper_pearson, wilson
from theia_core.evaluation.pairs import Pair, compare_all
from theia_core.evaluation.power import Power
from theia_core.evaluation.report.labels import words
from theia_core.evaluation.runs import Run
from theia_core.evaluation.summary import StageCount, count_conditional, count_groups, count_stages
from theia_core.tasks import Task

_MOST_COMPARED = 12
_MOST_FOR_POWER = 250
_PAPER = "Theia-B, paper, real robot"


def results_section(task: Task, runs: Mapping[str, Run]) -> str:
    """Counts and exact intervals of every stage, and of each stage given the one before."""
    head = ["Policy", *(words(stage) for stage in task.stages)]
    head += [f"{words(stage)}, of those that came so far" for stage in task.stages[1:]]
    rows = []
    for title, run in runs.items():
        conditional = count_conditional(run.records, task)
        counts = [*count_stages(run.records, task).values(), *conditional.values()]
        rows.append([escape(title), *map(_cell, counts)])
        for group, stages in count_groups(run.records, task).items():
            rows.append(
                [f"{escape(title)}, {escape(group)}", *map(_cell, stages.values()), *_dashes(conditional)]
            )
    if published := [task.paper[stage] for stage in task.stages if stage in task.paper]:
        cells = [_cell(StageCount(*count, clopper_pearson(*count))) for count in published]
        if len(cells) == len(task.stages):
            rows.append([_PAPER, *cells, *("-" for _ in task.stages[1:])])
    criteria = "; ".join(f"{words(stage)}: {text}" for stage, text in task.protocol.stages.items())
    return section(
        "Success",
        "Successes, their share, and its exact 95 % interval (Clopper and Pearson). An interval says what "
        "chance leaves open in this number of trials, and nothing about other scenes.",
        table(head, rows),
        note(f"A stage counts if {criteria}."),
    )


def forest_section(task: Task, runs: Mapping[str, Run]) -> str:
    """One forest plot a stage, the paper's rate as a dashed line."""
    charts = []
    counts = {title: count_stages(run.records, task) for title, run in runs.items()}
    for stage in task.stages:
        intervals = []
        for title, stages in counts.items():
            count = stages[stage]
            rate = count.successes / count.trials
            low, high = wilson(count.successes, count.trials)
            intervals.append(Interval(f"{title}: {count.successes}/{count.trials}", rate, low, high))
        paper = task.paper.get(stage)
        mark = paper[0] / paper[1] if paper else None
        charts.append(
            interval_chart(intervals, f"{words(stage).capitalize()}: share of the trials", mark, "paper")
        )
    return section(
        "Forest plots",
        "Rates with their 95 % score intervals (Wilson).",
        '<div class="charts">' + "".join(charts) + "</div>",
    )


def comparison_section(
    task: Task, runs: Mapping[str, Run], pairs: Sequence[tuple[str, str]] | None = None
) -> str:
    """The given pairs of policies, or every two, or with very many the best with each; empty without any."""
    if len(runs) < 2 or (pairs is not None and not pairs):
        return ""
    last = task.stages[-1]
    compared, which = _compared(task, runs, pairs)
    rows = [_comparison_row(pair) for pair in compared]
    fewest = min(len(run.records) for run in runs.values())
    return section(
        "Comparisons",
        f"Every row is a test of equal rates of {words(last)}{which}. Barnard's exact test takes all trials "
        f"as independent; McNemar's looks only at scenes in which one of the two succeeded. Holm's "
        f"correction makes all {len(compared)} Barnard tests of the table together err in 5 % of such "
        "tables at most.",
        table(
            [
                "a against b",
                "b - a",
                "only a : only b",
                "McNemar p",
                "Barnard p",
                "Barnard p, Holm",
                "sequential p",
            ],
            rows,
        ),
        note(
            "The sequential p may be looked at after every pair of trials, and the evaluation stopped as "
            "soon as it is 0.05 or less; the others hold only for a number of trials that was fixed "
            "beforehand."
        ),
        note(_seen_with(fewest, max(_rate(run, last) for run in runs.values()))),
    )


def _compared(
    task: Task, runs: Mapping[str, Run], pairs: Sequence[tuple[str, str]] | None
) -> tuple[list[Pair], str]:
    records = {title: run.records for title, run in runs.items()}
    if pairs is not None or len(runs) <= _MOST_COMPARED:
        return compare_all(records, task=task, pairs=pairs), ""
    last = task.stages[-1]
    best = max(runs, key=lambda title: _rate(runs[title], last))
    with_best = [pair for pair in combinations(runs, 2) if best in pair]
    return compare_all(records, task=task, pairs=with_best), f", of {best} against each other policy"


def _comparison_row(pair: Pair) -> list[str]:
    low, high = (f"{100 * bound:+.0f}" for bound in pair.ci95)
    difference = f'{100 * pair.difference:+.0f} %<br><span class="range">{low} to {high} %</span>'
    discordant, mcnemar, sequential = "-", "-", "-"
    if pair.paired is not None and pair.sequential is not None:
        discordant = f"{pair.paired.only_a} : {pair.paired.only_b}"
        mcnemar = _p(pair.paired.p_value)
        sequential = _p(pair.sequential.p_value)
    return [
        f"{escape(pair.a)}<br>against {escape(pair.b)}",
        difference,
        discordant,
        mcnemar,
        _p(pair.barnard_p),
        _p(pair.holm_p),
        sequential,
    ]


def _seen_with(trials: int, rate: float) -> str:
    """What difference this many trials can show."""
    if trials > _MOST_FOR_POWER:
        return ""
    low = Power(trials).smallest_difference(1 - rate)  # as hard to see as the same loss from `rate`
    if low is None:
        return (
            f"{trials} trials each are too few to see any loss from {100 * rate:.0f} % with a power of 80 %."
        )
    return (
        f"With {trials} independent trials each, Barnard's test sees a loss from {100 * rate:.0f} % to "
        f"{100 * (rate - low):.0f} % with a power of 80 %; smaller differences may be there unseen."
    )


def _rate(run: Run, stage: str) -> float:
    return sum(bool(record["stages"][stage]) for record in run.records) / max(len(run.records), 1)


def _cell(count: StageCount) -> str:
    if not count.trials:
        return "-"
    low, high = count.ci95
    share = f"{count.successes}/{count.trials} = {100 * count.successes / count.trials:.0f} %"
    return f'{share}<br><span class="range">{100 * low:.0f} to {100 * high:.0f} %</span>'


def _dashes(counts: Mapping[str, StageCount]) -> list[str]:
    return ["-" for _ in counts]


def _p(value: float) -> str:
    return "&lt; 0.0001" if value < 1e-4 else f"{value:.2g}"
