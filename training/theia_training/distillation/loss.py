"""The distillation loss (paper, Eq. 1) and its ablation.

For each teacher, beta * (1 - cosine) + (1 - beta) * smooth L1, beta = 0.9. The cosine is one per image, over
its whole flattened map; the smooth L1 is the mean over all elements. Teachers are averaged, or weighted.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from theia_core.errors import TheiaError
from theia_training.features.encoding import CLS

KINDS = ("cosine_l1", "mse")


@dataclass(frozen=True)
class LossConfig:
    """Which loss.

    Attributes:
        kind: "cosine_l1" (Eq. 1), or "mse" (ablation, Table 3a).
        beta: weight of the cosine term against the smooth L1 term.
        weights: teacher -> alpha; empty for 1 / M each.
        distil_cls: also predict the teachers' CLS features from the CLS token (ablation, Table 3c).
    """

    kind: str = "cosine_l1"
    beta: float = 0.9
    weights: Mapping[str, float] | None = None
    distil_cls: bool = False

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if self.kind not in KINDS:
            raise TheiaError(f"unknown loss {self.kind!r}; choose one of {', '.join(KINDS)}")
        if not 0 <= self.beta <= 1:
            raise TheiaError(f"beta is {self.beta}; give a share between 0 and 1")
        if self.weights and (min(self.weights.values()) < 0 or sum(self.weights.values()) <= 0):
            raise TheiaError(f"teacher weights {dict(self.weights)} must not be negative, nor all zero")

    def alphas(self, teachers: tuple[str, ...]) -> dict[str, float]:
        """Weight of each teacher.

        Raises:
            TheiaError: if weights are given for other teachers than these.
        """
        if not self.weights:
            return {teacher: 1 / len(teachers) for teacher in teachers}
        if set(self.weights) != set(teachers):
            raise TheiaError(
                f"weights are given for {', '.join(sorted(self.weights))}, but the teachers are "
                f"{', '.join(sorted(teachers))}"
            )
        return dict(self.weights)


def teacher_loss(prediction: torch.Tensor, target: torch.Tensor, config: LossConfig) -> torch.Tensor:
    """Loss of one teacher, a scalar.

    Args:
        prediction: (B, tokens, C) or (B, C).
        target: of the same shape, normalised per channel.
        config: which loss.
    """
    prediction, target = prediction.float(), target.float()
    if config.kind == "mse":
        return nn.functional.mse_loss(prediction, target)
    cosine = nn.functional.cosine_similarity(prediction.flatten(1), target.flatten(1), dim=1)
    smooth = nn.functional.smooth_l1_loss(prediction, target, beta=1.0)
    return config.beta * (1 - cosine).mean() + (1 - config.beta) * smooth


def distillation_loss(
    predictions: Mapping[str, torch.Tensor], targets: Mapping[str, torch.Tensor], config: LossConfig
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Weighted sum over teachers, and each teacher's own loss.

    Args:
        predictions: teacher -> (B, tokens, C), and teacher + ".cls" -> (B, C) where CLS is distilled too.
        targets: the same names and shapes, normalised.
        config: which loss and weights.

    Raises:
        TheiaError: if predictions and targets are of different teachers or shapes.
    """
    if predictions.keys() != targets.keys():
        raise TheiaError(f"predictions of {sorted(predictions)} do not match targets of {sorted(targets)}")
    parts = {}
    for name, prediction in predictions.items():
        if prediction.shape != targets[name].shape:
            raise TheiaError(
                f"{name}: predicted {tuple(prediction.shape)}, but the target is "
                f"{tuple(targets[name].shape)}; the translator was built for another teacher size"
            )
        parts[name] = teacher_loss(prediction, targets[name], config)
    alphas = config.alphas(tuple(name for name in parts if not name.endswith(CLS)))
    total = sum(alphas[name.removesuffix(CLS)] * part for name, part in parts.items())
    return torch.as_tensor(total), parts
