"""`theia report`: what ledgers of evaluations hold, as tables here and as one HTML page."""

import argparse
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theia_core.cli import Command
from theia_core.errors import TheiaError

if TYPE_CHECKING:
    from theia_core.evaluation.runs import Run

EXAMPLES = """examples:
  theia report runs/eval/door.jsonl                    the stage table, failures, and door.html beside it
  theia report a.jsonl b.jsonl --html ab.html --pdf ab.pdf
                                                       several ledgers on one page, printed with Chromium
  theia report a.jsonl --json report.json              the results as JSON too"""

_MOST_LISTED = 10


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "ledgers", type=Path, nargs="+", metavar="LEDGER", help="JSONL file with one trial a line"
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="the page (beside the first ledger, with its name)"
    )
    parser.add_argument("--pdf", type=Path, metavar="FILE", help="print the page too; needs Chromium")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON too")


def run(arguments: argparse.Namespace) -> int:
    """Print one table for each evaluation in the ledgers and write the page."""
    from theia_core.analysis.page.browser import print_pdf
    from theia_core.evaluation.report import report_page
    from theia_core.evaluation.runs import gather
    from theia_core.files import whole_file

    html = arguments.html or arguments.ledgers[0].with_suffix(".html")
    for path in (html, arguments.pdf, arguments.json):
        if path is not None and not path.parent.is_dir():
            raise TheiaError(f"the folder of {path} does not exist; make it first")
    evaluations = gather(arguments.ledgers)
    if not any(run.records for run in evaluations.runs):
        raise TheiaError(f"no trials in {', '.join(map(str, arguments.ledgers))}")
    for found in evaluations.runs:
        _print_run(found)
    for kind, details in _by_kind(evaluations.deviations).items():
        print(f"{kind}: {details[0]}" + (f" (and {len(details) - 1} more)" if len(details) > 1 else ""))
    with whole_file(html) as file:
        file.write(report_page(evaluations).encode())
    print(f"wrote {html}")
    if arguments.pdf:
        print_pdf(html, arguments.pdf)
        print(f"wrote {arguments.pdf}")
    if arguments.json:
        arguments.json.write_text(json.dumps(_results(arguments.ledgers), indent=1) + "\n")
        print(f"wrote {arguments.json}")
    return 0


def _print_run(run: "Run") -> None:
    from theia_core.evaluation import stage_table

    task, identity = run.task, run.identity
    kind = "SIMULATED" if identity["simulated"] else "real-robot"
    print(f"{task.title} ({task.id}): {identity['policy']} on {identity['encoder']}")
    if identity["execution"]:
        print(
            f"execution {identity['execution']}, observations {1000 * (identity['latency_s'] or 0):g} ms old"
        )
    print(
        f"{len(run.records)} {kind} trials, evaluation seed {run.seed}, protocol {identity['protocol_hash']}"
    )
    print(stage_table(run.records, task=task))
    _print_failures(run.failures)
    print()


def _print_failures(failed: list[dict[str, Any]]) -> None:
    if not failed:
        return
    reasons = Counter(record.get("failure") or "time limit" for record in failed)
    print("failures: " + ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()))
    for record in failed[:_MOST_LISTED]:
        cell = ", ".join(f"{name} {value}" for name, value in record["cell"].items())
        print(f"  trial {record['index']}: {cell}")
    if len(failed) > _MOST_LISTED:
        print(f"  and {len(failed) - _MOST_LISTED} more")


def _by_kind(deviations: Iterable[Any]) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {}
    for deviation in deviations:
        kinds.setdefault(deviation.kind, []).append(deviation.detail)
    return kinds


def _results(ledgers: list[Path]) -> list[dict[str, Any]]:
    """The result of each run with its complete trials, as `theia eval --json` has it."""
    from theia_core.evaluation import Ledger, summarise
    from theia_core.evaluation.identity import run_key
    from theia_core.tasks import get_task

    runs: dict[tuple[Any, ...], dict[int, dict[str, Any]]] = {}
    for path in ledgers:
        for record in Ledger(path).trials():
            if record.get("counted", True):
                runs.setdefault(run_key(record), {}).setdefault(record["index"], record)
    return [
        summarise(list(records.values()), task=get_task(task), seed=seed)
        for (task, _, _, _, seed, *_), records in runs.items()
    ]


COMMAND = Command("success rates with their intervals, from the ledgers of evaluations", configure, run)
