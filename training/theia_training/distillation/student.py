"""The network that learns: Theia with its translators, and what the ablations add."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from theia_core.encoders.theia import TheiaModel
from theia_core.encoders.theia_variants import TheiaVariant
from theia_core.errors import TheiaError
from theia_training.distillation.config import StudentConfig
from theia_training.features.encoding import CLS
from theia_training.features.manifest import TeacherEntry


class Student(nn.Module):
    """Theia as it is trained; `theia` alone is what is kept."""

    def __init__(self, theia: TheiaModel, cls_channels: Mapping[str, int]) -> None:
        """Hold `theia` and a linear head for each CLS feature that is distilled too."""
        super().__init__()
        self.theia = theia
        width = theia.backbone.model.config.width
        self.cls_heads = nn.ModuleDict(
            {name: nn.Linear(width, channels) for name, channels in cls_channels.items()}
        )

    def forward(self, images: torch.Tensor, translators_only: bool = False) -> dict[str, torch.Tensor]:
        """Predictions teacher -> (B, tokens, C), teacher + ".cls" -> (B, C), of images (B, 3, 224, 224).

        With `translators_only` no gradient reaches the backbone.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not translators_only):
            tokens = self.theia(images)
        predictions: dict[str, torch.Tensor] = self.theia.translator(tokens[:, self.theia.special_tokens :])
        for name, head in self.cls_heads.items():
            predictions[name + CLS] = head(tokens[:, 0])
        return predictions


def build_student(
    config: StudentConfig, teachers: tuple[TeacherEntry, ...], with_cls: bool, name: str
) -> Student:
    """Student with the initial weights that the config asks for; the global seed decides the random ones.

    Raises:
        TheiaError: if the weights to start from do not fit.
    """
    targets = {teacher.name: teacher.size for teacher in teachers}
    variant = TheiaVariant(name, config.size, targets, config.registers, config.translator)
    student = Student(TheiaModel(variant), {t.name: t.size.channels for t in teachers} if with_cls else {})
    backbone = student.theia.backbone.model
    if config.deit:
        from theia_core.encoders.initialise import initialise_from_deit

        initialise_from_deit(backbone, Path(config.deit))
    if config.select_from:
        from theia_core.encoders.initialise import select_weights

        select_weights(backbone, Path(config.select_from), layers=config.select_layers)
    if config.start:
        _go_on_from(student.theia, variant, Path(config.start))
    if config.freeze_backbone:
        backbone.requires_grad_(False)
    return student


def _go_on_from(theia: TheiaModel, variant: TheiaVariant, folder: Path) -> None:
    """Take over the backbone of an encoder, and its translators of the same teachers.

    Raises:
        TheiaError: if the folder holds no Theia encoder, or one of another architecture.
    """
    from theia_core.encoders.theia_checkpoint import CONFIG, WEIGHTS, load_theia_model
    from theia_core.encoders.theia_variants import variant_of_config

    if not (folder / CONFIG).is_file():
        raise TheiaError(f"student.start: {folder} holds no {CONFIG}; give the folder of a Theia encoder")
    before = variant_of_config(folder / CONFIG)
    if (before.size, before.registers) != (variant.size, variant.registers):
        raise TheiaError(
            f"student.start: {folder} is a Theia of size {before.size} with {before.registers} registers, "
            f"not {variant.size} with {variant.registers}; change student.size and student.registers"
        )
    model = load_theia_model(folder / WEIGHTS, before)
    theia.backbone.load_state_dict(model.backbone.state_dict())
    for teacher, size in variant.targets.items():
        if before.translator == variant.translator and before.targets.get(teacher) == size:
            heads = model.translator.translator_heads
            theia.translator.translator_heads[teacher].load_state_dict(heads[teacher].state_dict())


def parameter_groups(student: Student, weight_decay: float, backbone_scale: float) -> list[dict]:
    """AdamW's groups; `scale` is the share of the learning rate that a group gets.

    Matrices and kernels decay; biases, norms, position embeddings and tokens do not.
    """
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    backbone = {id(parameter) for parameter in student.theia.backbone.parameters()}
    for parameter in student.parameters():
        if parameter.requires_grad:
            # LayerNorms over (C, H, W) have three dimensions, as have the embeddings of tokens and positions.
            kind = (id(parameter) in backbone, parameter.ndim in (2, 4))
            groups.setdefault(kind, []).append(parameter)
    return [
        {
            "params": parameters,
            "weight_decay": weight_decay if decays else 0.0,
            "scale": backbone_scale if in_backbone else 1.0,
        }
        for (in_backbone, decays), parameters in groups.items()
    ]
