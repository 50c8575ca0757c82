"""`theia eval`: a task's protocol in simulation, on seeds and poses that no demonstration used."""

import argparse
import json
import os
import time
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from theia_core.cli import Command
from theia_core.errors import TheiaError
from theia_sim.envs import TASKS

if TYPE_CHECKING:
    from theia_core.tasks.protocol import Trial
    from theia_sim.contenders import Contender

EXAMPLES = """examples:
  theia eval door --trials 50 --seed 1000 --json out.json    the paper's 50 trials with the shipped policy
  theia eval door --policy runs/door --trials 100 --seed 7   a policy of your own
  theia eval door --policy expert --noise-mm 4               the scripted expert, for an upper bound
  theia eval door --encoder theia-tiny --encoder efficientnet-lite2-s16 --policies runs --trials 100
                                                             encoders compared, each with its policy
  theia eval door --trials 50 --latency-ms 300 --execution receding:4 --execution ensemble:0.1
      --execution receding:4,no-latency-compensation --markdown table.md
                                                             ways to execute predictions compared
  theia eval drawer --policy runs/drawer --denoising-steps 10 --denoising-steps 100
                                                             a diffusion policy with fewer and more steps
  theia eval --compare configs/encoders.yaml --resume        encoders x tasks as in the paper, and a report
  theia eval --compare configs/encoders.yaml --report-only   the report of what has been tried so far
Several --policy, --encoder, --execution or --denoising-steps run on the same trials, taken in turn: a table
side by side, and for each two the trials in which only one of them succeeded. An interrupted evaluation goes
on with --ledger FILE --resume.
"""

_LARGEST_LATENCY_MS = 400  # the policy node's max_frame_age_s


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("task", nargs="?", choices=TASKS, help="task to evaluate")
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="FILE",
        help="compare encoders over several tasks, from demonstrations to a report (configs/encoders.yaml)",
    )
    parser.add_argument(
        "--report-only",
        action="store_true",
        help="of --compare: run nothing, report the trials that are there",
    )
    parser.add_argument(
        "--policy",
        action="append",
        default=[],
        help="shipped name, folder, or 'expert' (the task's shipped policy); repeat it to compare",
    )
    parser.add_argument(
        "--encoder",
        action="append",
        default=[],
        help="encoder (the one that the policy was trained with); repeat it to compare",
    )
    parser.add_argument(
        "--execution",
        action="append",
        default=[],
        metavar="MODE",
        help="how predictions are executed: receding:STEPS or ensemble:M, with or without "
        ",no-latency-compensation (receding, with the policy's own number of steps); repeat it to compare",
    )
    parser.add_argument(
        "--denoising-steps",
        action="append",
        default=[],
        type=int,
        metavar="N",
        help="DDIM steps of a diffusion policy (its own number); repeat it to compare",
    )
    parser.add_argument(
        "--policies",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="where to look for policies trained on an --encoder, besides the shipped ones",
    )
    parser.add_argument(
        "--trials", type=int, help="number of trials, a multiple of the protocol's (the protocol once)"
    )
    parser.add_argument(
        "--seed", type=int, default=1000, help="evaluation seed: order and randomisation (1000)"
    )
    parser.add_argument(
        "--latency-ms",
        type=float,
        default=100.0,
        help="observation age at the guard, a multiple of 20 up to 400 (100)",
    )
    parser.add_argument(
        "--noise-mm", type=float, default=0.0, help="with --policy expert: noise on its actions"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result as JSON")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the tables as Markdown, for a README"
    )
    parser.add_argument(
        "--ledger", type=Path, metavar="FILE", help="append one line a trial to this JSONL ledger"
    )
    parser.add_argument(
        "--films", type=Path, metavar="DIR", help="film every trial, small, for the report (needs --ledger)"
    )
    parser.add_argument("--resume", action="store_true", help="keep the trials that the ledger already holds")


def run(arguments: argparse.Namespace) -> int:
    """Run the trials, print the stage table and write the JSON."""
    if arguments.compare:
        return _compare(arguments)
    if arguments.report_only:
        raise TheiaError("--report-only belongs to --compare FILE; for a ledger there is `theia report`")
    if arguments.task is None:
        raise TheiaError(f"say which task: {', '.join(TASKS)}; or --compare FILE for several")
    from theia_core.evaluation import Ledger
    from theia_core.evaluation.identity import trial_id
    from theia_core.evaluation.ledger import now
    from theia_core.evaluation.resume import held_records
    from theia_core.provenance import machine, software
    from theia_core.tasks import get_task
    from theia_sim.contenders import choose_contenders
    from theia_sim.evaluation_report import json_result, markdown, print_results
    from theia_sim.parallel import run_parallel
    from theia_sim.trial_runner import EvaluationOptions, TrialRunner

    task = get_task(arguments.task)
    _check(arguments)
    contenders = choose_contenders(
        task.id,
        arguments.policy,
        arguments.encoder,
        arguments.policies,
        arguments.execution,
        arguments.denoising_steps,
    )
    options = [
        EvaluationOptions(
            task.id,
            c.policy,
            c.encoder,
            c.execution,
            arguments.latency_ms / 1000,
            arguments.noise_mm,
            c.denoising_steps,
        )
        for c in contenders
    ]
    trials = task.protocol.trials(arguments.seed, arguments.trials)
    common = {
        "protocol_hash": task.protocol.hash,
        "eval_seed": arguments.seed,
        "latency_s": arguments.latency_ms / 1000,
        "noise_mm": arguments.noise_mm,
    }
    records: list[list[dict]] = [[] for _ in contenders]
    ledger = Ledger(arguments.ledger) if arguments.ledger else None
    started = time.monotonic()
    with ledger.owned() if ledger is not None else nullcontext():
        if ledger is not None and ledger.path.exists():
            if not arguments.resume:
                raise TheiaError(
                    f"{ledger.path} exists; add --resume to go on with it or choose another file"
                )
            asked = {trial.index for trial in trials}
            records = held_records(
                ledger, [c.identity | common | {"task": task.id} for c in contenders], asked
            )
            total = len(trials) * len(contenders)
            print(f"{sum(map(len, records))} of {total} trials are in the ledger already")
        done = [{record["index"] for record in own} for own in records]

        def film_of(contender: "Contender", trial: "Trial") -> str | None:
            if not arguments.films:
                return None
            whose = contender.identity | common | {"task": task.id, "simulated": True, "index": trial.index}
            return str(arguments.films / f"{trial_id(whose)}.mp4")

        def keep(result: tuple[int, dict]) -> None:
            place, record = result
            record = {**record, **contenders[place].identity, **common}
            if video := record.get("video"):
                record["video"] = os.path.relpath(video, arguments.ledger.parent)
            record |= {"at": now(), "software": software(), "machine": machine()}
            records[place].append(record)
            if ledger is not None:
                ledger.append(record)

        run_parallel(
            partial(TrialRunner, films=bool(arguments.films)),
            options,
            # Contenders take turns, so that an interruption leaves all of them with the same trials.
            [
                (place, trial, film_of(contenders[place], trial))
                for trial in trials
                for place in range(len(contenders))
                if trial.index not in done[place]
            ],
            workers=arguments.workers,
            label=f"eval {arguments.task}",
            on_result=keep,
        )
    for own in records:
        own.sort(key=lambda record: record["index"])
    print_results(task, contenders, records, arguments.seed, time.monotonic() - started)
    if arguments.json:
        result = json_result(task, map(asdict, options), records, arguments.seed)
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")
        print(f"wrote {arguments.json}")
    if arguments.markdown:
        arguments.markdown.write_text(
            markdown(task, contenders, records, arguments.seed, arguments.latency_ms)
        )
        print(f"wrote {arguments.markdown}")
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    """Run the comparison that a file describes; nothing else may be asked for."""
    from theia_sim.comparison.run import compare_encoders

    if arguments.task or arguments.policy or arguments.encoder or arguments.ledger:
        raise TheiaError(
            "--compare takes tasks, encoders and ledgers from its file; give it alone, with --resume, or "
            "with --report-only"
        )
    compare_encoders(arguments.compare, resume=arguments.resume, report_only=arguments.report_only)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse what could only fail after the trials."""
    if arguments.trials is not None and arguments.trials < 1:
        raise TheiaError(f"--trials must be at least 1, not {arguments.trials}")
    if arguments.films:
        if not arguments.ledger:
            raise TheiaError("--films needs --ledger FILE: its lines name the films")
        arguments.films.mkdir(parents=True, exist_ok=True)
    if arguments.resume and not arguments.ledger:
        raise TheiaError("--resume needs --ledger FILE: the ledger holds the finished trials")
    if not 0 <= arguments.latency_ms <= _LARGEST_LATENCY_MS or arguments.latency_ms % 20:
        raise TheiaError(
            f"--latency-ms {arguments.latency_ms:g} cannot be simulated; give a multiple of 20 from 0 to "
            f"{_LARGEST_LATENCY_MS} (the policy node holds on older frames)"
        )
    for option, path in (("--json", arguments.json), ("--markdown", arguments.markdown)):
        if path and not path.parent.is_dir():
            raise TheiaError(f"the folder of {option} {path} does not exist; make it first")
    if arguments.policies and not arguments.encoder:
        raise TheiaError("--policies needs --encoder: it says where to look for the policies of encoders")


COMMAND = Command("run a task's protocol in simulation, without ROS", configure, run)
