"""`theia train`: learn a policy from recorded episodes."""

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from theia_core.cli import Command

_EXAMPLES = """examples:
  theia train door --data data/door --out runs/door
  theia train door --data data/door data/door-corrections --out runs/door-2 --epochs 60
  theia train door --data data/door --out runs/door --resume          go on after an interruption
  theia train door --data data/door --out runs/paper --recipe paper   Table 9 of the paper; hours on a CPU

Episodes are encoded once; their tokens are kept in .token-cache inside the first data folder."""

# Options that replace one value of the recipe: option, type, help.
_RECIPE_OPTIONS: tuple[tuple[str, type, str], ...] = (
    ("epochs", int, "passes over the data"),
    ("batch-size", int, "steps per update"),
    ("learning-rate", float, "peak learning rate"),
    ("schedule", str, "constant or cosine"),
    ("ema-decay", float, "decay of the averaged weights, 0 for none"),
    ("dropout", float, "dropout in the MLP"),
    ("token-dropout", float, "share of spatial tokens replaced by the mean token"),
    ("token-noise", float, "noise on tokens, in standard deviations"),
    ("joint-noise", float, "noise on joint states, in standard deviations"),
    ("gripper-weight", float, "weight of the gripper's loss"),
)


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EXAMPLES
    parser.add_argument("task", help="task, such as door")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders with episodes (MCAP)")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the policy, its curves and checkpoint"
    )
    parser.add_argument(
        "--encoder", default="efficientnet-lite2-s16", help="frozen encoder (default: %(default)s)"
    )
    parser.add_argument(
        "--recipe", choices=("cpu", "paper"), default="cpu", help="training recipe (default: %(default)s)"
    )
    for option, kind, text in _RECIPE_OPTIONS:
        parser.add_argument(f"--{option}", type=kind, help=f"{text} (default: the recipe's)")
    parser.add_argument(
        "--execute-steps", type=int, default=4, help="actions executed per chunk (default: 4)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of weights, split and noise (default: 0)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default: %(default)s)")
    parser.add_argument("--resume", action="store_true", help="continue the run in --out")
    parser.add_argument("--cache", type=Path, help="folder of the token cache")


def _run(arguments: argparse.Namespace) -> int:
    # Two torch threads that spin while they wait for each other lose two thirds of their speed to one other
    # process on two cores; threads that sleep do not. OpenMP reads this once, when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from theia_core.policies import load_policy
    from theia_training.recipes import RECIPES
    from theia_training.train_bc import TrainConfig, train

    names = [option.replace("-", "_") for option, _, _ in _RECIPE_OPTIONS]
    changes: dict[str, Any] = {
        name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None
    }
    folder = train(
        TrainConfig(
            task=arguments.task,
            data=tuple(arguments.data),
            out=arguments.out,
            encoder=arguments.encoder,
            recipe=replace(RECIPES[arguments.recipe], **changes),
            execute_steps=arguments.execute_steps,
            seed=arguments.seed,
            threads=arguments.threads,
            resume=arguments.resume,
            cache=arguments.cache,
        )
    )
    policy = load_policy(folder)
    last = policy.meta["training"]["last_epoch"]
    print(
        f"{policy.policy_id} in {folder}: held-out error of the next action "
        f"{last['position_error_mm']:.2f} mm, {last['rotation_error_deg']:.2f} deg, "
        f"gripper wrong in {100 * last['gripper_wrong']:.1f} % of the steps"
    )
    print(f"try it: theia eval {arguments.task} --policy {folder}")
    return 0


COMMAND = Command("learn a policy from recorded episodes", _configure, _run)
