"""`theia amend`: corrects what a ledger says of a trial, by a line that says why."""

import argparse
from pathlib import Path
from typing import Any

from theia_core.cli import Command
from theia_core.errors import TheiaError

EXAMPLES = """examples:
  theia amend runs/ab/ledger.jsonl 5a52b41e4d --stage open=no --why "the bag was in the way, see the film"
  theia amend runs/ab/ledger.jsonl 5a52b41e4d --not-counted --why "the camera was knocked over"

The ledger's lines stay as they are; the report lists every amendment. `theia report` names the ids of trials
that were amended or left out, `theia amend LEDGER --list` those of all."""

_ANSWERS = {"yes": True, "no": False}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    parser.add_argument("ledger", type=Path, help="JSONL file with one trial a line")
    parser.add_argument("trial", nargs="?", help="id of the trial")
    parser.add_argument("--list", action="store_true", help="list the trials and their ids, and stop")
    parser.add_argument(
        "--stage", action="append", default=[], metavar="NAME=yes|no", help="whether a stage was reached"
    )
    counted = parser.add_mutually_exclusive_group()
    counted.add_argument("--not-counted", action="store_true", help="leave the trial out of every number")
    counted.add_argument("--counted", action="store_true", help="let it count again")
    parser.add_argument("--notes", help="what to remember about the trial")
    parser.add_argument("--why", default="", help="reason; needed")


def run(arguments: argparse.Namespace) -> int:
    """Append the amendment and show the trial as it now reads."""
    from theia_core.evaluation import Ledger
    from theia_core.evaluation.identity import trial_id

    if not arguments.ledger.is_file():
        raise TheiaError(f"no ledger {arguments.ledger}; give the file that an evaluation wrote")
    ledger = Ledger(arguments.ledger)
    if arguments.list:
        for record in ledger.trials():
            print(_line(trial_id(record), record))
        return 0
    changes = _changes(arguments)
    if not arguments.trial or not changes:
        raise TheiaError("say which trial, and what changes: --stage, --not-counted, --counted or --notes")
    with ledger.owned():
        record = ledger.amend(arguments.trial, changes, why=arguments.why)
    print(_line(arguments.trial, record))
    return 0


def _changes(arguments: argparse.Namespace) -> dict[str, Any]:
    stages = {}
    for text in arguments.stage:
        name, _, answer = text.partition("=")
        if answer not in _ANSWERS:
            raise TheiaError(f"--stage {text!r} is no answer; write NAME=yes or NAME=no")
        stages[name] = _ANSWERS[answer]
    changes: dict[str, Any] = {"stages": stages} if stages else {}
    if arguments.not_counted:
        changes |= {"counted": False, "why_not_counted": arguments.why}
    if arguments.counted:
        changes["counted"] = True
    if arguments.notes is not None:
        changes["notes"] = arguments.notes
    return changes


def _line(identity: str, record: dict[str, Any]) -> str:
    stages = " ".join(f"{name} {'yes' if reached else 'no'}" for name, reached in record["stages"].items())
    left_out = "" if record.get("counted", True) else f"  not counted: {record.get('why_not_counted')}"
    return f"{identity}  {record.get('policy')} trial {record['index']}: {stages}{left_out}"


COMMAND = Command("correct what a ledger says of a trial; adds a line, changes none", configure, run)
