"""A trial as one record of the ledger, and as one line for people."""

from typing import Any

from theia.nodes.trial_monitor import TrialMonitor
from theia_core.tasks import Task
from theia_core.tasks.protocol import Trial


def trial_record(
    task: Task, trial: Trial, monitor: TrialMonitor, end: str, *, wall_s: float, **identity: Any
) -> dict[str, Any]:
    """What `theia eval` records too (theia_core.evaluation), and the guard's holds.

    Args:
        task: the task.
        trial: what was tried.
        monitor: what happened.
        end: why it ended, as `TrialMonitor.end` says.
        wall_s: how long it took.
        identity: policy, encoder, eval_seed.
    """
    return {
        "task": task.id,
        "simulated": True,
        "index": trial.index,
        "seed": trial.seed,
        "cell": trial.cell,
        "stages": monitor.stages,
        "stage_steps": monitor.stage_steps(task.control_rate_hz),
        "steps": monitor.steps(task.control_rate_hz),
        "failure": None if end in ("done", "time is up") else end,
        "guard_refusals": monitor.refusals(),
        "guard_holds": dict(monitor.holds),
        "protocol_hash": task.protocol.hash,
        "wall_s": round(wall_s, 2),
        "transport": "ros2",
        **identity,
    }


def trial_line(record: dict[str, Any], total: int) -> str:
    """One line: which trial, its stages, and what was unusual."""
    stages = " ".join(f"{name} {'yes' if reached else 'no'}" for name, reached in record["stages"].items())
    notes = [record["failure"]] if record["failure"] else []
    notes += [f"{name} x{count}" for name, count in record["guard_refusals"].items()]
    notes += [f"held ({reason}) x{count}" for reason, count in record["guard_holds"].items()]
    name = f"trial {record['index'] + 1}/{total} ({cell_text(record['cell'])})"
    line = f"{name}: {stages}, {record['steps']} steps"
    return f"{line}; {'; '.join(notes)}" if notes else line


def cell_text(cell: dict[str, float | str]) -> str:
    """The scene's fixed values, for people."""
    return ", ".join(f"{name} {value}" for name, value in cell.items())
