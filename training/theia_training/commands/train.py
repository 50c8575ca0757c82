"""`theia train`: learn a policy from recorded episodes."""

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theia_core.cli import Command
from theia_core.errors import TheiaError

if TYPE_CHECKING:
    from theia_training.cloning.config import FineTuning
    from theia_training.cloning.recipes import Recipe

_EXAMPLES = """examples:
  theia train door --data data/door --out runs/door
  theia train door --data data/door data/door-corrections --out runs/door-2 --epochs 60
  theia train door --data data/door --out runs/door --resume          go on after an interruption
  theia train door --data data/door --out runs/paper --recipe paper   Table 9 of the paper; hours on a CPU
  theia train drawer --data data/drawer --out runs/drawer             a diffusion policy (Table 10)
  theia train pick_place --data data/pick_place --encoder theia-tiny --augment 4 --out runs/pick_place
  theia train microwave --data data/microwave --finetune-encoder --out runs/microwave
  theia train microwave --data data/microwave --finetune-encoder --init-policy runs/microwave_frozen \\
      --precision bf16 --augment --epoch-steps 8000 --epochs 10 --out runs/microwave_2

The task says which kind of policy learns: behaviour cloning, or for the drawer a diffusion policy.
With a frozen encoder, episodes are encoded once; their tokens are kept in .token-cache inside the first data
folder. With --finetune-encoder the frames are kept there, and the policy's folder receives the encoder that
learned with it."""

_USUAL_ENCODER = "theia-tiny"
_VARIANTS = 4

# Options that replace one value of the recipe: option, type, help.
_RECIPE_OPTIONS: tuple[tuple[str, type, str], ...] = (
    ("epochs", int, "passes over the data"),
    ("updates", int, "updates, instead of passes"),
    ("batch-size", int, "steps per update"),
    ("learning-rate", float, "peak learning rate"),
    ("schedule", str, "constant or cosine"),
    ("ema-decay", float, "decay of the averaged weights, 0 for none"),
    ("dropout", float, "dropout in the MLP"),
    ("token-dropout", float, "share of spatial tokens replaced by the mean token"),
    ("token-noise", float, "noise on tokens, in standard deviations"),
    ("joint-noise", float, "noise on joint states, in standard deviations"),
    ("gripper-weight", float, "weight of the gripper's loss"),
    ("weight-decay", float, "weight decay of AdamW"),
    ("clip-norm", float, "largest norm of the gradients, 0 for no clipping"),
    ("epoch-steps", int, "steps of an epoch, drawn anew each time; 0 for all"),
)
# Options of the augmentation: option, type, help.
_AUGMENTATION_OPTIONS: tuple[tuple[str, type, str], ...] = (
    ("shift-px", int, "largest shift in pixels of the encoder's input"),
    ("brightness", float, "largest relative change of brightness"),
    ("contrast", float, "largest relative change of contrast"),
    ("saturation", float, "largest relative change of saturation"),
    ("hue", float, "largest turn of all colours around grey, 0.5 for any colour [turns]"),
)

# Option of fine-tuning -> its field of `FineTuning`.
_FINETUNING = {
    "encoder_learning_rate_factor": "learning_rate_factor",
    "finetune_blocks": "blocks",
    "precision": "precision",
    "init_policy": "init_policy",
}


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EXAMPLES
    parser.add_argument("task", help="task, such as door")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders with episodes (MCAP)")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the policy, its curves and checkpoint"
    )
    parser.add_argument(
        "--encoder",
        help=f"encoder (default: {_USUAL_ENCODER}, or the one of --init-policy)",
    )
    parser.add_argument(
        "--recipe",
        choices=("cpu", "paper", "finetune"),
        help="recipe of the task's kind of policy (default: cpu, or finetune with --finetune-encoder)",
    )
    for option, kind, text in _RECIPE_OPTIONS:
        parser.add_argument(f"--{option}", type=kind, help=f"{text} (default: the recipe's)")
    parser.add_argument(
        "--execute-steps", type=int, help="actions executed per chunk (default: 4, diffusion 2)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of weights, split and noise (default: 0)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default: %(default)s)")
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where to learn (default: cuda if torch sees a GPU)",
    )
    parser.add_argument("--resume", action="store_true", help="continue the run in --out")
    parser.add_argument("--cache", type=Path, help="folder of the caches of tokens and frames")
    tune = parser.add_argument_group("fine-tuning the encoder")
    tune.add_argument(
        "--finetune-encoder",
        action="store_true",
        help="let the encoder learn too; it must be a Theia encoder",
    )
    tune.add_argument(
        "--encoder-learning-rate-factor",
        type=float,
        help="the encoder's share of the learning rate (default: 0.1)",
    )
    tune.add_argument(
        "--finetune-blocks", type=int, help="how many of the ViT's last blocks learn (default: 12, all)"
    )
    tune.add_argument(
        "--precision",
        choices=("fp32", "bf16"),
        help="of the encoder in training; bf16 needs a GPU or CPU with it (default: fp32)",
    )
    tune.add_argument(
        "--init-policy",
        help="policy to start from, or none (default: one is trained on frozen tokens first, in OUT/frozen)",
    )
    change = parser.add_argument_group("image augmentation")
    change.add_argument(
        "--augment",
        type=int,
        nargs="?",
        const=-1,
        metavar="K",
        help="change frames at random: K variants of each with a frozen encoder "
        f"({_VARIANTS} if K is left out), every frame anew with --finetune-encoder",
    )
    for option, kind, text in _AUGMENTATION_OPTIONS:
        change.add_argument(f"--{option}", type=kind, help=f"{text} (needs --augment)")


def _run(arguments: argparse.Namespace) -> int:
    # Two torch threads that spin while they wait for each other lose two thirds of their speed to one other
    # process on two cores; threads that sleep do not. OpenMP reads this once, when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from theia_core.policies import load_policy
    from theia_core.policies.artefact import DIFFUSION
    from theia_core.tasks import get_task
    from theia_training.cloning.train import TrainConfig, train

    kind = get_task(arguments.task).policy_kind
    finetuning = _finetuning(arguments, kind)
    folder = train(
        TrainConfig(
            task=arguments.task,
            data=tuple(arguments.data),
            out=arguments.out,
            encoder=arguments.encoder or _default_encoder(finetuning),
            recipe=_recipe(arguments, kind),
            finetuning=finetuning,
            execute_steps=arguments.execute_steps or (2 if kind == DIFFUSION else 4),
            seed=arguments.seed,
            threads=arguments.threads,
            device=_device(arguments.device),
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


def _device(wanted: str) -> str:
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return wanted


def _given(arguments: argparse.Namespace, options: tuple[tuple[str, type, str], ...]) -> dict[str, Any]:
    names = [option.replace("-", "_") for option, _, _ in options]
    return {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}


def _recipe(arguments: argparse.Namespace, kind: str) -> "Recipe":
    from theia_training.cloning.augmentation import Augmentation
    from theia_training.cloning.recipes import RECIPES_OF_KIND

    name = arguments.recipe or ("finetune" if arguments.finetune_encoder else "cpu")
    given = _given(arguments, _RECIPE_OPTIONS)
    # Whichever of the two is given decides, also where the recipe has the other.
    for one, other in (("epochs", "updates"), ("updates", "epochs")):
        if one in given and other not in given:
            given[other] = 0
            break
    recipe = replace(RECIPES_OF_KIND[kind][name], **given)
    changes, variants = _given(arguments, _AUGMENTATION_OPTIONS), arguments.augment
    if variants is None:
        if changes:
            raise TheiaError(f"--{next(iter(changes)).replace('_', '-')} says how to augment; add --augment")
        return recipe
    if arguments.finetune_encoder:
        if variants != -1:
            raise TheiaError(
                f"--augment {variants} caches variants for a frozen encoder; with --finetune-encoder give "
                "--augment without a number: every frame is changed anew"
            )
        variants = 0
    elif variants == -1:
        variants = _VARIANTS
    elif variants < 1:
        raise TheiaError(f"--augment {variants} would change nothing; give 1 or more, or leave it out")
    return replace(recipe, augmentation=Augmentation(**changes), variants=variants)


def _finetuning(arguments: argparse.Namespace, kind: str) -> "FineTuning | None":
    from theia_training.cloning.config import FineTuning
    from theia_training.cloning.recipes import RECIPES_OF_KIND

    given = {name: value for name in _FINETUNING if (value := getattr(arguments, name)) is not None}
    if not arguments.finetune_encoder:
        if given:
            option = next(iter(given)).replace("_", "-")
            raise TheiaError(f"--{option} is about fine-tuning the encoder; add --finetune-encoder")
        return None
    settings = {_FINETUNING[name]: value for name, value in given.items()}
    return FineTuning(**settings, first_recipe=RECIPES_OF_KIND[kind]["cpu"])


def _default_encoder(finetuning: "FineTuning | None") -> str:
    """The usual encoder, or the one of the policy that fine-tuning starts from."""
    from theia_core.policies.artefact import policy_folder, read_policy
    from theia_training.cloning.config import FRESH, TRAIN_FIRST

    if finetuning is None or finetuning.init_policy in (TRAIN_FIRST, FRESH):
        return _USUAL_ENCODER
    return str(read_policy(policy_folder(finetuning.init_policy))["encoder"])


COMMAND = Command("learn a policy from recorded episodes", _configure, _run)
