"""`theia report`: success rates with their intervals, from the ledgers of evaluations."""

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from theia_core.cli import Command
from theia_core.errors import TheiaError

EXAMPLES = """examples:
  theia report runs/eval/door.jsonl                    the stage table, and why trials failed
  theia report a.jsonl b.jsonl --json report.json      several ledgers, one table for each policy"""

_ONE_RUN = (
    "task",
    "policy",
    "encoder",
    "protocol_hash",
    "eval_seed",
    "simulated",
    "execution",
    "latency_s",
    "noise_mm",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "ledgers", type=Path, nargs="+", metavar="LEDGER", help="JSONL file with one trial a line"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON too")


def run(arguments: argparse.Namespace) -> int:
    """Print one table for each evaluation in the ledgers."""
    from theia_core.evaluation import Ledger, stage_table, summarise
    from theia_core.tasks import get_task

    runs: dict[tuple, list[dict[str, Any]]] = {}
    for path in arguments.ledgers:
        if not path.is_file():
            raise TheiaError(f"no ledger {path}; `theia eval ... --ledger {path}` writes one")
        for record in Ledger(path).read():
            if absent := [key for key in ("task", "index", "stages") if key not in record]:
                raise TheiaError(f"a record of {path} lacks {', '.join(absent)}; is it a ledger of trials?")
            runs.setdefault(tuple(record.get(key) for key in _ONE_RUN), []).append(record)
    if not runs:
        raise TheiaError(f"no trials in {', '.join(map(str, arguments.ledgers))}")
    results = []
    for records in runs.values():
        task = get_task(records[0]["task"])
        seed = records[0].get("eval_seed")
        results.append(summarise(records, task=task, seed=seed))
        _print_heading(records, task, seed)
        print(stage_table(records, task=task))
        _print_failures(records, task.stages[-1])
        print()
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")
        print(f"wrote {arguments.json}")
    return 0


def _print_heading(records: list[dict[str, Any]], task: Any, seed: int | None) -> None:
    first = records[0]
    kind = "SIMULATED" if first.get("simulated") else "real-robot"
    print(f"{task.title} ({task.id}): {first.get('policy')} on {first.get('encoder')}")
    if first.get("execution"):
        print(f"execution {first['execution']}, observations {1000 * first.get('latency_s', 0):g} ms old")
    print(f"{len(records)} {kind} trials, evaluation seed {seed}, protocol {first.get('protocol_hash')}")
    if first.get("protocol_hash") != task.protocol.hash:
        print(f"note: the protocol has changed since; today's is {task.protocol.hash}")
    if len(records) < task.protocol.trials_total:
        print(f"note: the complete protocol has {task.protocol.trials_total} trials")


def _print_failures(records: list[dict[str, Any]], last_stage: str) -> None:
    failed = [record for record in records if not record["stages"][last_stage]]
    if not failed:
        return
    reasons = Counter(record.get("failure") or "time limit" for record in failed)
    print("failures: " + ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()))
    for record in failed[:10]:
        cell = ", ".join(f"{name} {value}" for name, value in record.get("cell", {}).items())
        print(f"  trial {record['index']}: {cell}")
    if len(failed) > 10:
        print(f"  and {len(failed) - 10} more")


COMMAND = Command("success rates with their intervals, from the ledgers of evaluations", configure, run)
