"""The record of a finished run: enough to write a model card and to repeat it."""

from typing import Any

import numpy as np
import torch

from theia_core.encoders.theia_checkpoint import save_theia_checkpoint
from theia_core.files import write_json
from theia_training.distillation.trainer import Trainer
from theia_training.distillation.validation import validate

RECORD, ENCODER = "run.json", "encoder"


def write_run(trainer: Trainer) -> dict[str, Any]:
    """Write a finished run's encoder, in the layout of the released checkpoints, and its record."""
    save_theia_checkpoint(trainer.average.theia, trainer.out / ENCODER)
    record = run_record(trainer)
    write_json(trainer.out / RECORD, record)
    return record


def run_record(trainer: Trainer) -> dict[str, Any]:
    """Configuration, data, teachers, time and last validation as JSON values."""
    features, rows, loss = trainer.features, trainer.rows, trainer.config.loss
    weights = np.array([row["images_per_s"] for row in rows])
    return {
        "config": trainer.config.to_dict(),
        "teachers": [
            {
                "name": t.name,
                "size": [t.size.channels, t.size.height, t.size.width],
                "weights_sha256": t.weights_sha256,
                "licence": t.licence,
            }
            for t in features.teachers
        ],
        "samples": {"train": len(features.train), "held_out": len(features.held_out)},
        "updates": trainer.update,
        "global_batch": trainer.global_batch,
        "ranks": trainer.ranks.count,
        "torch": torch.__version__,
        "profile": {
            "model_share": float(np.mean([row["model_share"] for row in rows])),
            "data_share": float(np.mean([row["data_share"] for row in rows])),
            "images_per_s": float(1 / np.mean(1 / weights)),
            "hours": float(trainer.update * trainer.global_batch * np.mean(1 / weights) / 3600),
        },
        "held_out_by_store": {
            store: {
                "images": len(places),
                **validate(trainer.average, features, places, loss, trainer.device),
            }
            for store in features.stores
            if len(places := features.held_out_of(store))
        },
        "last_validation": trainer.validations[-1] if trainer.validations else {},
    }
