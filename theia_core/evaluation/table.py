"""The stage table, as text."""

from collections.abc import Sequence
from typing import Any

from theia_core.evaluation.intervals import clopper_pearson
from theia_core.evaluation.summary import count_stages
from theia_core.tasks import Task


def stage_table(records: Sequence[dict[str, Any]], *, task: Task) -> str:
    """Successes, rate and exact 95 % interval of each stage, beside the paper's on the real robot.

    Raises:
        TheiaError: if a record lacks a stage.
    """
    rows: list[tuple[str, ...]] = [("stage", "successes", "rate", "95 % interval", "paper, real robot")]
    for stage, count in count_stages(records, task).items():
        paper = task.paper.get(stage)
        rows.append(
            (
                stage,
                f"{count.successes}/{count.trials}",
                f"{100 * count.successes / count.trials:.0f} %" if count.trials else "-",
                _interval(*count.ci95),
                f"{paper[0]}/{paper[1]} {_interval(*clopper_pearson(*paper))}" if paper else "-",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _interval(low: float, high: float) -> str:
    return f"{100 * low:.0f} to {100 * high:.0f} %"
