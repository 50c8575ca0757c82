"""`theia finetune`: a better encoder from recorded bags, by distillation or together with a policy."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from theia_core.cli import Command, main
from theia_core.errors import TheiaError

if TYPE_CHECKING:
    from theia_training.finetuning.config import FinetuneConfig

_EXAMPLES = """examples:
  theia finetune --bags data/door data/door_noisy --general data/features/photos --out runs/theia_tiny_door
                            distillation goes on, robot frames mixed with the general set; its teachers are
                            the store's, and run once over the robot frames
  theia finetune --bags data/door --general data/photos --teachers xfeat efficientnet-lite2-s16 --out runs/ft
                            the same from a folder of images, whose features are extracted first
  theia finetune --with-policy door --bags data/door --out runs/door_finetuned
                            end to end: encoder and policy learn together (theia train --finetune-encoder)

The same command again goes on where it was interrupted. The result is OUT/encoder with its card,
OUT/before_after.html and OUT/finetune.json; the exit code is 1 if robot frames are not predicted better, or
the feature error of the general set's held-out images rose by more than 5 %."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EXAMPLES
    parser.add_argument("--encoder", default="theia-tiny", help="Theia encoder to go on from (theia-tiny)")
    parser.add_argument("--bags", type=Path, nargs="+", required=True, help="folders of episodes, episodes")
    parser.add_argument("--out", type=Path, required=True, help="folder of everything that is made")
    parser.add_argument(
        "--with-policy", metavar="TASK", help="let encoder and policy of this task learn together instead"
    )
    parser.add_argument(
        "--general", nargs="+", default=[], metavar="STORE", help="feature stores, or folders of images"
    )
    parser.add_argument(
        "--teachers", nargs="+", default=[], help="for --general with images: teachers, as for theia features"
    )
    parser.add_argument(
        "--teacher",
        action="append",
        default=[],
        metavar="NAME=PLACE",
        help="config or folder of a teacher of the store whose name is not enough",
    )
    for name, kind, default, text in _OPTIONS:
        parser.add_argument(f"--{name}", type=kind, help=f"{text} ({default})")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (2)")


_OPTIONS: tuple[tuple[str, type, str, str], ...] = (
    ("robot-share", float, "0.4", "share of robot frames among the training samples"),
    ("every", int, "what robot-share asks for", "take every n-th frame of the bags"),
    ("held-out", float, "0.15", "share of the episodes held out"),
    ("epochs", int, "2, or the recipe's", "passes over the data"),
    ("batch-size", int, "16", "images per update"),
    ("learning-rate", float, "3e-4", "of translators, or of the policy"),
    ("backbone-scale", float, "0.3", "the backbone's share of the learning rate; 0.1 with a policy"),
    ("precision", str, "fp32", "fp32, or bf16 where the machine is quick at it"),
    ("seed", int, "0", "of order and new weights"),
)


def _run(arguments: argparse.Namespace) -> int:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    arguments.out.mkdir(parents=True, exist_ok=True)
    return _with_policy(arguments) if arguments.with_policy else _distil(arguments)


def _given(arguments: argparse.Namespace) -> dict[str, object]:
    names = [name.replace("-", "_") for name, *_ in _OPTIONS]
    return {name: value for name in names if (value := getattr(arguments, name)) is not None}


# --- continued distillation ---


def _distil(arguments: argparse.Namespace) -> int:
    from theia_training.finetuning.config import FinetuneConfig
    from theia_training.finetuning.continued import CONTINUED, CONTROL
    from theia_training.finetuning.outcome import RESULT, analysis_arguments, write_outcome

    if not arguments.general:
        raise TheiaError(
            "--general is missing: robot frames alone make an encoder worse; name a feature store or images"
        )
    config = FinetuneConfig(
        encoder=arguments.encoder,
        bags=tuple(arguments.bags),
        general=_general_stores(arguments),
        out=arguments.out,
        teachers=dict(_name_and_place(text) for text in arguments.teacher),
        threads=arguments.threads,
        **_given(arguments),  # type: ignore[arg-type]
    )
    print(f"going on from {config.start}", flush=True)
    _extract(config)
    records = {name: _train(config, name) for name in (CONTROL, CONTINUED)}
    good, lines = write_outcome(config, records[CONTROL], records[CONTINUED])
    if main(analysis_arguments(config)) != 0:
        return 1
    print("\n".join(lines))
    print(f"encoder: {config.out / 'encoder'}, numbers: {config.out / RESULT}")
    return 0 if good else 1


def _general_stores(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Stores as given; features of image folders are extracted into OUT first."""
    from theia_training.features.manifest import FILE

    images = [
        text
        for text in arguments.general
        if Path(text).is_dir() and not (Path(text) / FILE).is_file() and "+" not in text
    ]
    if not images:
        return tuple(arguments.general)
    if len(images) != len(arguments.general) or not arguments.teachers:
        raise TheiaError("--general with images needs --teachers, and no feature stores beside them")
    store = arguments.out / "general_features"
    command = ["features", "--images", *images, "--teachers", *arguments.teachers, "--out", str(store)]
    if main([*command, "--held-out", "0.2", "--shard-size", "64"]) != 0:
        raise TheiaError(f"the features of {', '.join(images)} could not be extracted; see above")
    return (str(store),)


def _name_and_place(text: str) -> tuple[str, str]:
    name, equals, place = text.partition("=")
    if not equals:
        raise TheiaError(f"--teacher {text!r} has no '='; give NAME=PLACE")
    return name, f"{name}={place}" if not place.endswith((".yaml", ".yml")) else place


def _extract(config: "FinetuneConfig") -> None:
    from tqdm import tqdm

    from theia_training.finetuning.robot_features import robot_store

    with tqdm(desc="features of robot frames", unit="image", mininterval=5) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        store = robot_store(config, on_images=progress)
    held_out = sum(entry.split == "held_out" for _, entry in store.entries)
    print(f"{len(store)} robot frames, {held_out} of them held out", flush=True)


def _train(config: "FinetuneConfig", name: str) -> dict:
    from tqdm import tqdm

    from theia_training.finetuning.continued import distil

    with tqdm(desc=name, unit="update", mininterval=5) as bar:

        def on_row(row: dict[str, float], updates: int) -> None:
            bar.total = updates
            bar.update(int(row["update"]) - bar.n)
            bar.set_postfix_str(f"loss {row['loss']:.4f}")

        return distil(config, name, on_row)


# --- end to end ---


def _with_policy(arguments: argparse.Namespace) -> int:
    """Encoder and policy together; before and after on frames of the bags."""
    from theia_training.checkpoint import FILE
    from theia_training.cloning.train import FIRST

    if arguments.general or arguments.teachers or arguments.teacher:
        raise TheiaError("--with-policy distils nothing; leave --general and the teachers out")
    given = _given(arguments)
    if left := sorted(set(given) & {"robot_share", "every", "held_out"}):
        raise TheiaError(f"--{left[0].replace('_', '-')} is about distillation; leave it out")
    options = {"backbone_scale": "encoder-learning-rate-factor"}
    words = [
        word
        for name, value in given.items()
        for word in (f"--{options.get(name, name).replace('_', '-')}", str(value))
    ]
    data = [str(bag) for bag in arguments.bags]
    command = ["train", arguments.with_policy, "--data", *data, "--out", str(arguments.out), *words]
    command += ["--encoder", arguments.encoder, "--finetune-encoder", "--threads", str(arguments.threads)]
    if any((folder / FILE).exists() for folder in (arguments.out, arguments.out / FIRST)):
        command.append("--resume")
    if code := main(command):
        return code
    encoders = ["--encoder", f"before={arguments.encoder}", "--encoder", f"after={arguments.out / 'encoder'}"]
    page = ["--out", str(arguments.out / "before_after.html"), "--limit", "60"]
    return main(["analyze", *encoders, "--images", *data, *page])


COMMAND = Command("fine-tune an encoder on recorded bags, by distillation or with a policy", _configure, _run)
