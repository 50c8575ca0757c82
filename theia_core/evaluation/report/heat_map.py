"""Where it failed: success by start pose, as a grid of the protocol's cells in inline SVG."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from theia_core.analysis.page.html import section
from theia_core.evaluation.report.labels import axis_label, value_text, words
from theia_core.evaluation.runs import Run
from theia_core.tasks import Task
from theia_core.tasks.protocol import CellValue

_CELL_W, _CELL_H, _LEFT, _TOP, _LINE = 66, 40, 118, 10, 17
_MOST_COLUMNS = 5
# From none to all succeeded: ends that colour-blind readers tell apart (Okabe and Ito), white in between.
_NONE, _HALF, _ALL = (213, 94, 0), (255, 255, 255), (0, 114, 178)


def heat_map_section(task: Task, runs: Mapping[str, Run]) -> str:
    """A heat map of each run; empty where no trial has a cell of the protocol."""
    maps = [
        heat_map(task, run.records, title)
        for title, run in runs.items()
        if any(record["cell"] for record in run.records)
    ]
    if not maps:
        return ""
    return section(
        "Failures by start pose",
        f"Successes of {words(task.stages[-1])} in each cell of the protocol, of the trials "
        "there; orange cells failed, blue ones succeeded.",
        '<div class="charts">' + "".join(maps) + "</div>",
    )


def heat_map(task: Task, records: Sequence[dict[str, Any]], title: str) -> str:
    """Successes and trials of each cell as a figure.

    Args:
        task: its protocol's last axis goes across, the others down; a single axis is wrapped.
        records: trials.
        title: caption.
    """
    counted = _counted(task, records)
    names = list(task.protocol.axes)
    cells = [tuple(cell.values()) for cell in task.protocol.cells]
    parts: list[str] = []
    if len(names) == 1:
        rows = [cells[start : start + _MOST_COLUMNS] for start in range(0, len(cells), _MOST_COLUMNS)]
        left, pitch = 8, _CELL_H + _LINE
        for down, row in enumerate(rows):
            for across, cell in enumerate(row):
                x = left + (across + 0.5) * _CELL_W
                parts.append(_text(x, _TOP + down * pitch + _CELL_H + 12, value_text(cell[0])))
        bottom = _TOP + len(rows) * pitch
    else:
        size = len(task.protocol.axes[names[-1]])
        rows = [cells[start : start + size] for start in range(0, len(cells), size)]
        left, pitch = _LEFT, _CELL_H
        bottom = _TOP + len(rows) * pitch
        for down, row in enumerate(rows):
            label = ", ".join(map(value_text, row[0][:-1]))
            parts.append(_text(left - 8, _TOP + (down + 0.5) * pitch + 4, label, "end"))
        for across, cell in enumerate(rows[0]):
            parts.append(_text(left + (across + 0.5) * _CELL_W, bottom + 14, value_text(cell[-1])))
        parts.append(_text(left + size * _CELL_W / 2, bottom + 32, axis_label(names[-1])))
        parts.append(_text(8, bottom + 50, f"down: {', '.join(map(axis_label, names[:-1]))}", "start"))
        bottom += 56
    for down, row in enumerate(rows):
        for across, cell in enumerate(row):
            parts.append(_box(left + across * _CELL_W, _TOP + down * pitch, *counted.get(cell, (0, 0))))
    width = left + max(map(len, rows)) * _CELL_W + 8
    return (
        f'<figure class="heat"><svg viewBox="0 0 {width} {bottom}" role="img" '
        f'aria-label="{escape(title)}: success by start pose">{"".join(parts)}</svg>'
        f"<figcaption>{escape(title)}</figcaption></figure>"
    )


def _counted(task: Task, records: Sequence[dict[str, Any]]) -> dict[tuple[CellValue, ...], tuple[int, int]]:
    """Successes and trials of each cell."""
    counted: dict[tuple[CellValue, ...], tuple[int, int]] = {}
    for record in records:
        cell = tuple(record["cell"].get(name, "") for name in task.protocol.axes)
        successes, trials = counted.get(cell, (0, 0))
        counted[cell] = successes + bool(record["stages"][task.stages[-1]]), trials + 1
    return counted


def _box(x: float, y: float, successes: int, trials: int) -> str:
    colour = _colour(successes / trials) if trials else "#f2f3f5"
    size = f'width="{_CELL_W - 2}" height="{_CELL_H - 2}"'
    rectangle = f'<rect x="{x + 1}" y="{y + 1}" {size} fill="{colour}" stroke="#d9dce1"/>'
    return rectangle + _text(x + _CELL_W / 2, y + _CELL_H / 2 + 4, f"{successes}/{trials}" if trials else "-")


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


def _colour(share: float) -> str:
    """Orange at 0, white at a half, blue at 1, pale enough for dark text."""
    end, weight = (_NONE, 1 - 2 * share) if share < 0.5 else (_ALL, 2 * share - 1)
    mixed = [
        round(middle + 0.65 * weight * (value - middle)) for value, middle in zip(end, _HALF, strict=True)
    ]
    return "#{:02x}{:02x}{:02x}".format(*mixed)
