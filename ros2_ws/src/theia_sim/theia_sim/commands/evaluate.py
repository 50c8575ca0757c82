"""`theia eval`: a task's protocol in simulation, on seeds and poses that no demonstration used."""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theia_core.cli import Command
from theia_core.errors import TheiaError
from theia_sim.envs import TASKS

if TYPE_CHECKING:
    from theia_core.tasks import Task
    from theia_core.tasks.protocol import Trial
    from theia_sim.contenders import Contender

EXAMPLES = """examples:
  theia eval door --trials 50 --seed 1000 --json out.json    the paper's 50 trials with the shipped policy
  theia eval door --policy runs/door --trials 100 --seed 7   a policy of your own
  theia eval door --policy expert --noise-mm 4               the scripted expert, for an upper bound
  theia eval door --encoder theia-tiny --encoder efficientnet-lite2-s16 --policies runs --trials 100
                                                             encoders compared, each with its policy
Several --policy or --encoder run on the same trials, taken in turn: a table side by side, and for each two
the trials in which only one of them succeeded. An interrupted evaluation goes on with --ledger FILE --resume.
"""


@dataclass(frozen=True)
class EvaluationOptions:
    """What to run of one contender."""

    task: str
    policy: str
    encoder: str | None
    latency_s: float
    noise_mm: float


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("task", choices=TASKS, help="task to evaluate")
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
    parser.add_argument("--latency-ms", type=float, default=100.0, help="observation age at the guard (100)")
    parser.add_argument(
        "--noise-mm", type=float, default=0.0, help="with --policy expert: noise on its actions"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result as JSON")
    parser.add_argument(
        "--ledger", type=Path, metavar="FILE", help="append one line a trial to this JSONL ledger"
    )
    parser.add_argument("--resume", action="store_true", help="keep the trials that the ledger already holds")


def run(arguments: argparse.Namespace) -> int:
    """Run the trials, print the stage table and write the JSON."""
    from theia_core.evaluation import Ledger
    from theia_core.tasks import get_task
    from theia_sim.contenders import choose_contenders
    from theia_sim.parallel import run_parallel

    task = get_task(arguments.task)
    _check(arguments)
    contenders = choose_contenders(task.id, arguments.policy, arguments.encoder, arguments.policies)
    options = [
        EvaluationOptions(task.id, c.policy, c.encoder, arguments.latency_ms / 1000, arguments.noise_mm)
        for c in contenders
    ]
    trials = task.protocol.trials(arguments.seed, arguments.trials)
    common = {"protocol_hash": task.protocol.hash, "eval_seed": arguments.seed}
    records: list[list[dict]] = [[] for _ in contenders]
    ledger = Ledger(arguments.ledger) if arguments.ledger else None
    if ledger is not None and ledger.path.exists():
        if not arguments.resume:
            raise TheiaError(f"{ledger.path} exists; add --resume to go on with it or choose another file")
        held = ledger.read()
        asked = {trial.index for trial in trials}
        records = [_own(held, c.identity | common, asked) for c in contenders]
        total = len(trials) * len(contenders)
        print(f"{sum(map(len, records))} of {total} trials are in the ledger already")
    done = [{record["index"] for record in own} for own in records]

    def keep(result: tuple[int, dict]) -> None:
        place, record = result
        record = {**record, **contenders[place].identity, **common}
        records[place].append(record)
        if ledger is not None:
            ledger.append(record)

    started = time.monotonic()
    run_parallel(
        _Evaluator,
        options,
        # Contenders take turns, so that an interruption leaves all of them with the same trials.
        [(place, t) for t in trials for place in range(len(contenders)) if t.index not in done[place]],
        workers=arguments.workers,
        label=f"eval {arguments.task}",
        on_result=keep,
    )
    for own in records:
        own.sort(key=lambda record: record["index"])
    _print_results(task, contenders, records, arguments.seed, time.monotonic() - started)
    if arguments.json:
        result = _result(task, options, records, arguments.seed)
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")
        print(f"wrote {arguments.json}")
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse what could only fail after the trials."""
    if arguments.trials is not None and arguments.trials < 1:
        raise TheiaError(f"--trials must be at least 1, not {arguments.trials}")
    if arguments.resume and not arguments.ledger:
        raise TheiaError("--resume needs --ledger FILE: the ledger holds the finished trials")
    if arguments.json and not arguments.json.parent.is_dir():
        raise TheiaError(f"the folder of --json {arguments.json} does not exist; make it first")
    if arguments.policies and not arguments.encoder:
        raise TheiaError("--policies needs --encoder: it says where to look for the policies of encoders")


def _own(held: list[dict], identity: dict[str, Any], asked: set[int]) -> list[dict]:
    """Records of the ledger that are trials of this contender, protocol and seed."""
    return [
        record
        for record in held
        if record.get("index") in asked and all(record.get(key) == value for key, value in identity.items())
    ]


def _print_results(
    task: "Task", contenders: "list[Contender]", records: list[list[dict]], seed: int, seconds: float
) -> None:
    from theia_core.evaluation import comparison_table, side_by_side_table, stage_table

    if len(contenders) == 1:
        who, ran = contenders[0], len(records[0])
        print(f"{task.id}: {who.policy_id} on {who.encoder_id}, {ran} simulated trials, ", end="")
        print(f"seed {seed}, {seconds:.0f} s")
        print(stage_table(records[0], task=task))
        return
    titles = _titles(contenders)
    for title, who in zip(titles, contenders, strict=True):
        print(f"{title}: {who.policy_id} on {who.encoder_id}")
    print(
        f"{task.id}: {len(records[0])} simulated trials each, the same for all, seed {seed}, {seconds:.0f} s"
    )
    columns = dict(zip(titles, records, strict=True))
    print(side_by_side_table(columns, task=task), end="\n\n")
    print(comparison_table(columns, task=task))


def _titles(contenders: "list[Contender]") -> list[str]:
    """Short titles of the columns: the encoder's name, or the policy's where encoders are shared."""
    for ids in ([c.encoder_id for c in contenders], [c.policy_id for c in contenders]):
        names = [name.partition("@")[0] for name in ids]
        if len(set(names)) == len(names):
            return names
    return [f"{place}: {c.policy}" for place, c in enumerate(contenders, start=1)]


def _result(task: "Task", options: list[EvaluationOptions], records: list[list[dict]], seed: int) -> dict:
    """What --json writes: one result as it is, several under "results" with each two compared."""
    from theia_core.evaluation import comparison_entry, summarise

    results = [
        {**summarise(own, task=task, seed=seed), "options": asdict(option)}
        for own, option in zip(records, options, strict=True)
    ]
    if len(results) == 1:
        return results[0]
    return {
        "task": task.id,
        "seed": seed,
        "trials": len(records[0]),
        "simulated": True,
        "results": results,
        "comparisons": [comparison_entry(a, b, task=task) for a, b in combinations(records, 2)],
    }


class _Evaluator:
    """One worker: its environment, guard and controllers are made once."""

    def __init__(self, options: list[EvaluationOptions]) -> None:
        from theia_core.tasks import get_task
        from theia_sim.controllers import ExpertController, PolicyController
        from theia_sim.envs import make_env, make_expert
        from theia_sim.rollout import new_guard

        self.task = get_task(options[0].task)
        self.latency_s = options[0].latency_s
        self.env, self.guard = make_env(self.task.id), new_guard(self.task.id)
        self.controllers = [
            ExpertController(self.env, make_expert(self.task.id), noise_m=option.noise_mm / 1000)
            if option.policy == "expert"
            else PolicyController(option.policy, option.encoder)
            for option in options
        ]

    def __call__(self, item: "tuple[int, Trial]") -> tuple[int, dict]:
        from theia_sim.rollout import rollout

        place, trial = item
        scene = type(self.env).params_type.sample(trial.seed, **trial.cell)
        self.env.reset(scene)
        started = time.monotonic()
        result = rollout(
            self.env,
            self.controllers[place],
            self.guard,
            seed=trial.seed,
            max_steps=self.task.horizon_steps,
            latency_s=self.latency_s,
        )
        return place, {
            "task": self.task.id,
            "simulated": True,
            "index": trial.index,
            "seed": trial.seed,
            "cell": trial.cell,
            "stages": result.stages,
            "stage_steps": result.stage_steps,
            "steps": result.steps,
            "failure": result.failure,
            "guard_refusals": result.refusals,
            "wall_s": round(time.monotonic() - started, 2),
        }


COMMAND = Command("run a task's protocol in simulation, without ROS", configure, run)
