"""A trial as one record of the ledger, and as one line for people."""

from dataclasses import dataclass, field
from typing import Any

from theia.nodes.trial_monitor import TrialMonitor
from theia_core.evaluation.ledger import now
from theia_core.evaluation.plan import Plan, Turn
from theia_core.provenance import machine, software


@dataclass(frozen=True)
class Judgement:
    """What came of a trial.

    Attributes:
        stages: name -> reached.
        stage_steps: control step at which a stage was reached, where that is known.
        why_not_counted: why it says nothing about the policy; empty if it counts.
        notes: what the operator wrote.
    """

    stages: dict[str, bool]
    stage_steps: dict[str, int] = field(default_factory=dict)
    why_not_counted: str = ""
    notes: str = ""


def trial_record(
    plan: Plan, turn: Turn, monitor: TrialMonitor, judgement: Judgement, end: str, **more: Any
) -> dict[str, Any]:
    """What `theia eval` records too (theia_core.evaluation), and the guard's holds.

    Args:
        plan: what is tried.
        turn: which trial it was, and whose.
        monitor: what happened.
        judgement: what came of it.
        end: why it ended.
        more: further entries; those that are empty are left out.
    """
    task = plan.task
    return {
        "task": task.id,
        "index": turn.trial.index,
        "seed": turn.trial.seed,
        "cell": turn.trial.cell,
        "stages": judgement.stages,
        "stage_steps": judgement.stage_steps,
        "steps": monitor.steps(task.control_rate_hz),
        "failure": None if end in ("done", "time is up") else end,
        "guard_refusals": monitor.refusals(),
        "guard_holds": dict(monitor.holds),
        "protocol_hash": task.protocol.hash,
        "plan_hash": plan.hash,
        "turn": turn.number,
        "transport": "ros2",
        "policy": turn.contestant.policy_id,
        "encoder": turn.contestant.encoder_id,
        "eval_seed": plan.seed,
        "counted": not judgement.why_not_counted,
        "at": now(),
        "software": software(),
        "machine": machine(),
        **{
            key: value
            for key, value in {
                "why_not_counted": judgement.why_not_counted,
                "notes": judgement.notes,
                **more,
            }.items()
            if value not in ("", None, {})
        },
    }


def trial_line(record: dict[str, Any], total: int) -> str:
    """One line: which trial, its stages, and what was unusual."""
    stages = " ".join(f"{name} {'yes' if reached else 'no'}" for name, reached in record["stages"].items())
    notes = [record["failure"]] if record["failure"] else []
    notes += [f"{name} x{count}" for name, count in record["guard_refusals"].items()]
    notes += [f"held ({reason}) x{count}" for reason, count in record["guard_holds"].items()]
    name = f"trial {record['turn'] + 1}/{total} ({cell_text(record['cell'])})"
    line = f"{name}: {stages}, {record['steps']} steps"
    return f"{line}; {'; '.join(notes)}" if notes else line


def cell_text(cell: dict[str, float | str]) -> str:
    """The scene's fixed values, for people."""
    return ", ".join(f"{name} {value}" for name, value in cell.items())
