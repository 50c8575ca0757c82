"""How well a student predicts the teachers' features of held-out images."""

import numpy as np
import torch

from theia_training.distillation.feed import FeatureSet
from theia_training.distillation.loss import LossConfig, distillation_loss
from theia_training.distillation.student import Student

_BATCH = 16


def held_out_sample(features: FeatureSet, images: int) -> np.ndarray:
    """Up to `images` held-out places, evenly spread over the stores."""
    places = features.held_out
    if len(places) <= images:
        return places
    return places[np.linspace(0, len(places) - 1, images).round().astype(int)]


def validate(
    student: Student, features: FeatureSet, places: np.ndarray, loss: LossConfig, device: torch.device
) -> dict[str, float]:
    """Loss, and for each teacher two cosines, over held-out samples.

    `cosine_T` is the cosine of predicted and true feature of a token, both relative to the training set's
    mean feature (targets are normalised by it). `cosine_centred_T` also takes each image's own mean token
    from both, so that only what differs within an image counts.
    """
    sums: dict[str, float] = {}
    student.eval()
    with torch.inference_mode():
        for start in range(0, len(places), _BATCH):
            batch = features.batch(places[start : start + _BATCH])
            predictions = student(batch.images.to(device))
            targets = {name: target.to(device) for name, target in batch.targets.items()}
            total, parts = distillation_loss(predictions, targets, loss)
            values = {"loss": total, **{f"loss_{name}": part for name, part in parts.items()}}
            for teacher in features.teachers:
                a, b = predictions[teacher.name].float(), targets[teacher.name]
                values[f"cosine_{teacher.name}"] = _cosine(a, b)
                values[f"cosine_centred_{teacher.name}"] = _cosine(
                    a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
                )
            for name, value in values.items():
                sums[name] = sums.get(name, 0.0) + float(value) * len(batch.keys)
    return {name: value / len(places) for name, value in sums.items()}


def _cosine(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cosine_similarity(a, b, dim=-1).mean()
