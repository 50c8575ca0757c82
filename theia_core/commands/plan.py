"""`theia plan`: pre-registers an evaluation, and says how many trials it takes to see a difference."""

import argparse
from pathlib import Path

from theia_core.cli import Command
from theia_core.errors import TheiaError

EXAMPLES = """examples:
  theia plan door --policy a --policy b --seed 7 --out runs/ab    the order of an A/B evaluation, in plan.json
  theia plan door --rate 0.8 --difference 0.1                     how many trials to see 80 % become 90 %
  theia plan pick_place                                           what the protocol's trials can show"""

_POWERS = (0.8, 0.9)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from theia_core.tasks import TASKS

    parser.epilog = EXAMPLES
    parser.add_argument("task", choices=sorted(TASKS), help="task whose protocol is tried")
    parser.add_argument(
        "--policy", action="append", default=[], help="shipped name or folder; repeat it to compare"
    )
    parser.add_argument("--scenes", type=int, help="scenes that each policy tries (the complete protocol)")
    parser.add_argument("--seed", type=int, default=1000, help="evaluation seed (1000)")
    parser.add_argument("--rate", type=float, default=0.7, help="success rate that is expected (0.7)")
    parser.add_argument("--difference", type=float, default=0.2, help="difference that should be seen (0.2)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder to write plan.json into")


def run(arguments: argparse.Namespace) -> int:
    """Print what the trials can show; write the plan if asked."""
    from theia_core.evaluation.plan import contestant, make_plan
    from theia_core.evaluation.power import Power, trials_needed
    from theia_core.tasks import get_task

    task = get_task(arguments.task)
    if arguments.out and not arguments.policy:
        raise TheiaError("--out needs --policy: a plan says who tries which scene when")
    low, high = arguments.rate, arguments.rate + arguments.difference
    if not (0 <= low <= 1 and 0 <= high <= 1 and arguments.difference):
        raise TheiaError(f"--rate {low:g} and --difference {arguments.difference:g} leave the range 0 to 1")
    scenes = task.protocol.trials_total if arguments.scenes is None else arguments.scenes
    power = Power(scenes)
    print(f"{task.title}: protocol {task.protocol.hash}, {scenes} trials of each policy")
    print(f"power to tell {low:.0%} and {high:.0%} apart at p 0.05 (Barnard): {power.at(low, high):.0%}")
    smallest = power.smallest_difference(low)
    seen = "none that is possible" if smallest is None else f"{low:.0%} to {low + smallest:.0%}"
    print(f"smallest improvement seen with a power of 80 %: {seen}")
    for wanted in _POWERS:
        needed = trials_needed(low, high, wanted)
        print(f"trials of each policy for a power of {wanted:.0%}: {needed or 'more than 400'}")
    if arguments.policy:
        contestants = [contestant(name, task.id) for name in arguments.policy]
        plan = make_plan(task, contestants, arguments.seed, scenes)
        print(f"plan {plan.hash}: {len(plan.turns())} trials, seed {plan.seed}")
        for number, one in enumerate(plan.contestants, start=1):
            print(f"  policy {number}: {one.policy_id} on {one.encoder_id}")
        if arguments.out:
            arguments.out.mkdir(parents=True, exist_ok=True)
            print(f"wrote {plan.write(arguments.out)}")
    return 0


COMMAND = Command("pre-register an evaluation: its order, and what its trials can show", configure, run)
