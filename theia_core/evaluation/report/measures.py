"""Failure reasons, times, latencies and what the guard did, as tables."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from theia_core.analysis.page.html import note, section, table
from theia_core.evaluation.report.labels import cell_text, words
from theia_core.evaluation.runs import Run
from theia_core.tasks import Task

_MOST_LISTED = 15


def failures_section(task: Task, runs: Mapping[str, Run]) -> str:
    """Why trials failed, how far they came, and which ones; empty if none did."""
    if not any(run.failures for run in runs.values()):
        return ""
    reasons = {
        title: Counter(record.get("failure") or "time limit" for record in run.failures)
        for title, run in runs.items()
    }
    names = sorted({name for counts in reasons.values() for name in counts}, key=lambda n: -_sum(reasons, n))
    rows = [[escape(name), *(str(counts[name] or "-") for counts in reasons.values())] for name in names]
    parts = [table(["Reason", *runs], rows)]
    for title, run in runs.items():
        items = [f"<li>{escape(_line(record))}</li>" for record in run.failures[:_MOST_LISTED]]
        if items:
            parts.append(f"<h3>{escape(title)}</h3><ul>{''.join(items)}</ul>")
        if len(run.failures) > _MOST_LISTED:
            parts.append(note(f"and {len(run.failures) - _MOST_LISTED} more; the ledger has them all"))
    return section("Failures", f"Trials that did not reach {words(task.stages[-1])}.", *parts)


def times_section(task: Task, runs: Mapping[str, Run]) -> str:
    """How long stages took, and the latencies that were measured."""
    stage_rows = []
    for title, run in runs.items():
        cells = [_seconds(run.stage_s.get(stage, ())) for stage in task.stages]
        stage_rows.append([escape(title), *cells])
    head = ["Policy", *(words(stage) for stage in task.stages)]
    parts = [table(head, stage_rows)]
    latency_rows = [
        [
            f"{escape(title)}: {escape(words(name))}",
            *(f"{row[key]:.1f}" for key in ("p50", "p95", "max")),
        ]
        for title, run in runs.items()
        for name, row in run.latency_ms.items()
    ]
    if latency_rows:
        parts.append(table(["Latency", "p50", "p95", "max"], latency_rows))
        parts.append(note("Medians over the trials of their p50 and p95, and the largest value."))
    limit_s = task.horizon_steps / task.control_rate_hz
    return section(
        "Times",
        f"Seconds until a stage was reached, median and 90 % of those that reached it; a trial ends after "
        f"{limit_s:g} s.",
        *parts,
    )


def guard_section(runs: Mapping[str, Run]) -> str:
    """What the guard refused, and why it held."""
    rows = []
    for title, run in runs.items():
        counts = [("refused", name, count) for name, count in run.refusals.most_common()]
        counts += [("held", name, count) for name, count in run.holds.most_common()]
        rows += [
            [f"{escape(title)}: {what} ({escape(name)})", str(count), f"{count / len(run.records):.2f}"]
            for what, name, count in counts
        ]
    if not rows:
        return section("Guard", "The guard refused nothing and held in no trial.")
    return section(
        "Guard",
        "How often the guard refused an action or a chunk, or held the arm.",
        table(["Policy: what", "times", "per trial"], rows),
    )


def _sum(reasons: Mapping[str, Counter[str]], name: str) -> int:
    return sum(counts[name] for counts in reasons.values())


def _seconds(values: Sequence[float]) -> str:
    if not len(values):
        return "-"
    middle, most = np.percentile(values, [50, 90])
    return f'{middle:.1f} s<br><span class="range">90 %: {most:.1f} s</span>'


def _line(record: dict[str, Any]) -> str:
    reached = ", ".join(words(stage) for stage, done in record["stages"].items() if done)
    parts = [
        f"reached {reached}" if reached else "",
        record.get("failure") or "time limit",
        record.get("notes", ""),
    ]
    return f"trial {record['index']} ({cell_text(record['cell'])}): {'; '.join(filter(None, parts))}"
