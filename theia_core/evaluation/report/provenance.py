"""Where the numbers come from, and what was not as the protocol says."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.metadata import version

from theia_core.analysis.page.html import note, section, table
from theia_core.evaluation.runs import Deviation, Run
from theia_core.files import file_sha256
from theia_core.tasks import Task

_MOST_LISTED = 40


def deviations_section(deviations: Sequence[Deviation]) -> str:
    """All deviations, by kind; said in words if there are none."""
    if not deviations:
        return section("Deviations from the protocol", "None were found.")
    kinds: dict[str, list[str]] = {}
    for deviation in deviations:
        kinds.setdefault(deviation.kind, []).append(deviation.detail)
    parts = []
    for kind, details in kinds.items():
        items = "".join(f"<li>{escape(detail)}</li>" for detail in details[:_MOST_LISTED])
        more = note(f"and {len(details) - _MOST_LISTED} more") if len(details) > _MOST_LISTED else ""
        parts.append(f"<h3>{escape(kind.capitalize())} ({len(details)})</h3><ul>{items}</ul>{more}")
    return section("Deviations from the protocol", "", *parts)


def provenance_section(task: Task, runs: Mapping[str, Run]) -> str:
    """Policies, encoders, protocol, seeds, ledgers and machines, each with its hash."""
    rows = []
    hashes = {
        path: file_sha256(path)[:12] for path in {path for run in runs.values() for path in run.ledgers}
    }
    for title, run in runs.items():
        facts = [
            ("policy", run.identity["policy"]),
            ("encoder", run.identity["encoder"]),
            ("protocol", run.identity["protocol_hash"]),
            ("evaluation seed", run.seed),
            ("world", "simulation" if run.identity["simulated"] else "real robot"),
            ("execution", run.identity["execution"]),
            ("observations", _age(run.identity["latency_s"])),
            ("trials", len(run.records)),
            ("written", f"{run.first_at} to {run.last_at}" if run.first_at else None),
            *((name, ", ".join(map(str, values))) for name, values in run.provenance.items()),
        ]
        facts += [("ledger", f"{path}, sha256 {hashes[path]}") for path in run.ledgers]
        text = "<br>".join(f"{name}: {escape(str(value))}" for name, value in facts if value is not None)
        rows.append([escape(title), text])
    axes = "; ".join(
        f"{name} in {', '.join(map(str, values))}" for name, values in task.protocol.axes.items()
    )
    return section(
        "Provenance",
        f"Protocol {task.protocol.hash} of {task.id}: {axes}; {task.protocol.trials_total} trials, in an "
        f"order that follows from the seed; {task.horizon_steps} steps at {task.control_rate_hz:g} Hz.",
        table(["Policy", "What it was"], rows, "listing"),
        note(f"Written by theia {version('theia-robotics')}."),
    )


def _age(latency_s: float | None) -> str | None:
    return None if latency_s is None else f"{1000 * latency_s:g} ms old at the guard"
