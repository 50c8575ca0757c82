"""`theia distill`: train a Theia encoder on pre-computed teacher features."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from theia_core.cli import Command
from theia_core.errors import TheiaError

_EXAMPLES = """examples:
  theia distill --config training/configs/theia_tiny_cpu.yaml --resume
  theia distill --config training/configs/theia_tiny_cpu.yaml --set student.registers=4 --out runs/registers
  torchrun --nproc-per-node 8 -m theia_core.cli distill --config training/configs/theia_base_imagenet.yaml

--resume goes on from the checkpoint in the run's folder, or starts where there is none. The result is a
folder in the layout of the released checkpoints, for `load_encoder`, `theia analyze` and `theia export`."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EXAMPLES
    parser.add_argument("--config", type=Path, required=True, help="YAML file; see training/configs")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="replace one option, such as student.size=small",
    )
    parser.add_argument("--out", help="folder of the run (default: the config's)")
    parser.add_argument(
        "--resume", action="store_true", help="go on with the run in its folder, if there is one"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the last validation as JSON")


def _run(arguments: argparse.Namespace) -> int:
    # Two torch threads that spin while they wait lose most of their speed to one other process; OpenMP reads
    # this once, when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from theia_training.checkpoint import FILE
    from theia_training.distillation.config import read_config
    from theia_training.distillation.trainer import Trainer
    from theia_training.features.ranks import joined_ranks
    from theia_training.precision import bf16_complaint

    changes = {}
    for text in arguments.set:
        name, equals, value = text.partition("=")
        if not equals:
            raise TheiaError(f"--set {text!r} has no '='; give NAME=VALUE")
        changes[name] = value
    if arguments.out:
        changes["out"] = json.dumps(arguments.out)
    config = read_config(arguments.config, changes)
    if (Path(config.out) / FILE).exists() and not arguments.resume:
        raise TheiaError(
            f"{config.out} already holds a run; add --resume to go on with it, or choose another --out"
        )
    with joined_ranks() as ranks:
        trainer = Trainer(config, ranks)
        Path(config.out).mkdir(parents=True, exist_ok=True)
        resumed = trainer.resume()
        if ranks.rank == 0:
            count, teachers = (
                len(trainer.features.train),
                ", ".join(t.name for t in trainer.features.teachers),
            )
            print(
                f"{'going on with' if resumed else 'starting'} {config.out}: {count} training and "
                f"{len(trainer.features.held_out)} held-out samples of {teachers}; {trainer.updates} updates "
                f"of {trainer.global_batch} images on {ranks.count} ranks, {trainer.update} done",
                flush=True,
            )
            complaint = bf16_complaint(trainer.device.type) if config.precision == "bf16" else ""
            if complaint:
                print(f"note: {complaint}; --set precision=fp32 starts a run without it", file=sys.stderr)
        _fit(trainer)
        if ranks.rank == 0:
            _report(trainer, arguments.json)
    return 0


def _fit(trainer: Any) -> None:
    from tqdm import tqdm

    from theia_training.distillation.logs import TensorBoardLog, draw_curves, write_table

    if trainer.ranks.rank != 0:
        trainer.fit()
        return
    board = TensorBoardLog(trainer.out / "tensorboard", trainer.update)
    bar = tqdm(total=trainer.updates, initial=trainer.update, desc="distill", unit="update", mininterval=10)

    def on_row(row: dict[str, float]) -> None:
        bar.update(int(row["update"]) - bar.n)
        bar.set_postfix_str(
            f"loss {row['loss']:.4f}, {row['images_per_s']:.1f} images/s, "
            f"{100 * row['model_share']:.0f} % in the model"
        )
        board.write("train", row)

    def on_validation(row: dict[str, float]) -> None:
        cosines = ", ".join(
            f"{n.removeprefix('cosine_')} {v:.3f}"
            for n, v in row.items()
            if n.startswith("cosine_") and "centred" not in n
        )
        tqdm.write(f"update {int(row['update'])}: held-out loss {row['loss']:.4f}; cosine {cosines}")
        board.write("held_out", row)
        write_table(trainer.out / "train.csv", trainer.rows)
        write_table(trainer.out / "held_out.csv", trainer.validations)
        draw_curves(trainer.out / "curves.png", trainer.rows, trainer.validations)

    with bar:
        try:
            trainer.fit(on_row, on_validation)
        finally:
            board.close()
            write_table(trainer.out / "train.csv", trainer.rows)


def _report(trainer: Any, json_file: Path | None) -> None:
    from theia_core.files import write_json
    from theia_training.distillation.record import ENCODER, write_run

    folder = trainer.out / ENCODER
    record = write_run(trainer)
    if json_file:
        write_json(json_file, record)
    share = record["profile"]
    print(f"{folder}: written in the layout of the released checkpoints")
    print(
        f"time: {100 * share['model_share']:.1f} % in the model, "
        f"{100 * share['data_share']:.1f} % waiting for data, {share['images_per_s']:.1f} images/s"
    )
    for store, values in record["held_out_by_store"].items():
        print(f"{values['images']} held-out images of {store}:")
        for name, value in values.items():
            if name.startswith(("loss", "cosine")):
                print(f"  {name}: {value:.4f}")


COMMAND = Command("distil a Theia encoder from teacher features", _configure, _run)
