"""`theia eval`: a task's protocol in simulation, on seeds and poses that no demonstration used."""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from theia_core.cli import Command
from theia_core.errors import TheiaError

EXAMPLES = """examples:
  theia eval door --trials 50 --seed 1000 --json out.json    the paper's 50 trials with the shipped policy
  theia eval door --policy runs/door --trials 100 --seed 7   a policy of your own
  theia eval door --policy expert --noise-mm 4               the scripted expert, for an upper bound
An interrupted evaluation goes on with --ledger FILE --resume.
"""


@dataclass(frozen=True)
class EvaluationOptions:
    """What to run."""

    task: str
    policy: str
    encoder: str | None
    latency_s: float
    noise_mm: float


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("task", choices=["door"], help="task to evaluate")
    parser.add_argument("--policy", help="shipped name, folder, or 'expert' (the task's shipped policy)")
    parser.add_argument("--encoder", help="encoder (the one that the policy was trained with)")
    parser.add_argument(
        "--trials", type=int, default=50, help="number of trials, a multiple of the protocol's (50)"
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
    from theia_core.evaluation import Ledger, stage_table, summarise
    from theia_core.tasks import get_task
    from theia_sim.parallel import run_parallel

    task = get_task(arguments.task)
    if arguments.trials < 1:
        raise TheiaError(f"--trials must be at least 1, not {arguments.trials}")
    if arguments.resume and not arguments.ledger:
        raise TheiaError("--resume needs --ledger FILE: the ledger holds the finished trials")
    if arguments.json and not arguments.json.parent.is_dir():
        raise TheiaError(f"the folder of --json {arguments.json} does not exist; make it first")
    options = EvaluationOptions(
        arguments.task,
        arguments.policy or arguments.task,
        arguments.encoder,
        arguments.latency_ms / 1000,
        arguments.noise_mm,
    )
    identity = _identity(options)
    trials = task.protocol.trials(arguments.seed, arguments.trials)
    records: list[dict] = []
    ledger = Ledger(arguments.ledger) if arguments.ledger else None
    if ledger is not None and ledger.path.exists():
        if not arguments.resume:
            raise TheiaError(f"{ledger.path} exists; add --resume to go on with it or choose another file")
        records = [r for r in ledger.read() if _same_run(r, task, identity, arguments.seed)]
        print(f"{len(records)} of {len(trials)} trials are in the ledger already")
    done = {record["index"] for record in records}

    def keep(record: dict) -> None:
        record = {**record, **identity, "protocol_hash": task.protocol.hash, "eval_seed": arguments.seed}
        records.append(record)
        if ledger is not None:
            ledger.append(record)

    started = time.monotonic()
    run_parallel(
        _Evaluator,
        options,
        [trial for trial in trials if trial.index not in done],
        workers=arguments.workers,
        label=f"eval {arguments.task}",
        on_result=keep,
    )
    records.sort(key=lambda record: record["index"])
    result = summarise(records, task=task, seed=arguments.seed)
    result["options"] = asdict(options)
    print(
        f"{task.id}: {identity['policy']} on {identity['encoder']}, {len(records)} simulated trials, ", end=""
    )
    print(f"seed {arguments.seed}, {time.monotonic() - started:.0f} s")
    print(stage_table(records, task=task))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")
        print(f"wrote {arguments.json}")
    return 0


def _identity(options: EvaluationOptions) -> dict[str, str]:
    """Policy and encoder with their hashes; loaded here, so that a wrong name fails before workers start."""
    if options.policy == "expert":
        return {"policy": "scripted-expert", "encoder": "privileged state"}
    from theia_sim.controllers import PolicyController

    controller = PolicyController(options.policy, options.encoder)
    return {"policy": controller.policy_id, "encoder": controller.encoder.encoder_id}


def _same_run(record: dict, task, identity: dict[str, str], seed: int) -> bool:  # noqa: ANN001
    mine = {**identity, "protocol_hash": task.protocol.hash, "eval_seed": seed}
    return all(record.get(key) == value for key, value in mine.items())


class _Evaluator:
    """One worker: its environment, guard and controller are made once."""

    def __init__(self, options: EvaluationOptions) -> None:
        from theia_core.tasks import get_task
        from theia_sim.controllers import ExpertController, PolicyController
        from theia_sim.envs import make_env, make_expert
        from theia_sim.rollout import new_guard

        self.options, self.task = options, get_task(options.task)
        self.env, self.guard = make_env(options.task), new_guard(options.task)
        if options.policy == "expert":
            expert = make_expert(options.task)
            self.controller = ExpertController(self.env, expert, noise_m=options.noise_mm / 1000)
        else:
            self.controller = PolicyController(options.policy, options.encoder)

    def __call__(self, trial) -> dict:  # noqa: ANN001
        from theia_sim.rollout import rollout

        scene = type(self.env).params_type.sample(trial.seed, **trial.cell)
        self.env.reset(scene)
        started = time.monotonic()
        result = rollout(
            self.env,
            self.controller,
            self.guard,
            seed=trial.seed,
            max_steps=self.task.horizon_steps,
            latency_s=self.options.latency_s,
        )
        return {
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
