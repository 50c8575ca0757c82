"""The stage table and comparisons, as text or as Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from theia_core.evaluation.intervals import clopper_pearson
from theia_core.evaluation.jumps import jump_cells
from theia_core.evaluation.pairs import compare_all
from theia_core.evaluation.summary import StageCount, count_groups, count_stages
from theia_core.tasks import Task

Records = Sequence[dict[str, Any]]
_WHERE = {"seam": "at seams", "elsewhere": "elsewhere"}


def stage_table(records: Records, *, task: Task) -> str:
    """Successes, rate and exact 95 % interval of each stage, beside the paper's on the real robot.

    Groups of the protocol follow apart.

    Raises:
        TheiaError: if a record lacks a stage.
    """
    rows: list[tuple[str, ...]] = [("stage", "successes", "rate", "95 % interval", "paper, real robot")]
    for stage, count in count_stages(records, task).items():
        rows.append((stage, *_rate(count), _published(task, stage)))
    for group, counts in count_groups(records, task).items():
        rows += [(f"{stage}, {group}", *_rate(count), "-") for stage, count in counts.items()]
    return _aligned(rows)


def _published(task: Task, stage: str) -> str:
    """The paper's successes of a stage, with a fine-tuned encoder too where it has both."""
    both = {"": task.paper.get(stage), " fine-tuned": task.paper_finetuned.get(stage)}
    found = [
        f"{counts[0]}/{counts[1]}{how} {_interval(*clopper_pearson(*counts))}"
        for how, counts in both.items()
        if counts is not None
    ]
    return "; ".join(found) or "-"


def side_by_side_table(
    results: Mapping[str, Records], *, task: Task, markdown: bool = False, corner: str = "policy"
) -> str:
    """Successes and exact 95 % interval of each stage, and jumps between executed actions where measured.

    Groups of the protocol follow apart. A jump is the largest change from one executed action to the next in
    a trial, at the seams of two predictions and elsewhere; the table has the median of the trials.

    Args:
        results: title of the column -> records of one policy.
        task: the task that was tried.
        markdown: Markdown with a row for each policy, instead of text with a column for each.
        corner: what the titles are, for the first cell of the Markdown.

    Raises:
        TheiaError: if a record lacks a stage.
    """
    counts = [count_stages(records, task) for records in results.values()]
    rows: list[tuple[str, ...]] = [(corner if markdown else "stage", *results)]
    rows += [(stage, *(_success(count[stage]) for count in counts)) for stage in task.stages]
    rows += _group_rows(list(results.values()), task)
    if any("jumps" in record for records in results.values() for record in records):
        cells = [jump_cells(records) for records in results.values()]
        rows += [(f"jump {where}", *(cell[place] for cell in cells)) for place, where in _WHERE.items()]
    return _markdown(list(zip(*rows, strict=True))) if markdown else _aligned(rows)


def comparison_table(results: Mapping[str, Records], *, task: Task, markdown: bool = False) -> str:
    """Every two policies on the trials that they share, at the last stage.

    Discordant trials, the difference of the rates with its interval, the exact McNemar test's p, and
    Barnard's exact test as it is and with Holm's correction for all pairs of the table.

    Args:
        results: as for `side_by_side_table`.
        task: the task that was tried.
        markdown: Markdown instead of text.

    """
    last = task.stages[-1]
    rows: list[tuple[str, ...]] = [
        (f"{last}: a", "b", "only a", "only b", "b - a", "95 % interval", "McNemar p", "Barnard p", "Holm")
    ]
    for pair in compare_all(results, task=task):
        difference = f"{100 * pair.difference:+.0f} %"
        low, high = (f"{100 * bound:+.0f}" for bound in pair.ci95)
        discordant, mcnemar = ("-", "-"), "-"
        if pair.paired is not None:
            discordant = (str(pair.paired.only_a), str(pair.paired.only_b))
            mcnemar = f"{pair.paired.p_value:.3g}"
        p_values = (mcnemar, f"{pair.barnard_p:.3g}", f"{pair.holm_p:.3g}")
        rows.append((pair.a, pair.b, *discordant, difference, f"{low} to {high} %", *p_values))
    return _markdown(rows) if markdown else _aligned(rows)


def _group_rows(results: Sequence[Records], task: Task) -> list[tuple[str, ...]]:
    """A row for each stage in each group that any of them tried; "-" where one did not."""
    counts = [count_groups(records, task) for records in results]
    tried = [group for group in task.protocol.groups if any(group in own for own in counts)]
    return [
        (f"{stage}, {group}", *(_success(own[group][stage]) if group in own else "-" for own in counts))
        for group in tried
        for stage in task.stages
    ]


def _rate(count: StageCount) -> tuple[str, str, str]:
    rate = f"{100 * count.successes / count.trials:.0f} %" if count.trials else "-"
    return f"{count.successes}/{count.trials}", rate, _interval(*count.ci95)


def _success(count: StageCount) -> str:
    return f"{count.successes}/{count.trials} ({_interval(*count.ci95)})"


def _interval(low: float, high: float) -> str:
    return f"{100 * low:.0f} to {100 * high:.0f} %"


def _markdown(rows: list[tuple[str, ...]]) -> str:
    """Rows as a Markdown table, the first as its head."""
    lines = [rows[0], tuple("---" for _ in rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _aligned(rows: list[tuple[str, ...]]) -> str:
    """Rows in columns as wide as their widest cell, a rule below the first."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [rows[0], tuple("-" * width for width in widths), *rows[1:]]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
