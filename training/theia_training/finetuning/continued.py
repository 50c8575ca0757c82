"""Continued distillation, beside its control: what the encoder of before tells of the same features.

An encoder's tokens predict nothing by themselves; translators do. So before and after are compared with
translators that were fitted alike: the control trains them for as many updates on the same samples, its
backbone frozen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from theia_core.encoders.theia_checkpoint import CONFIG
from theia_core.encoders.theia_variants import variant_of_config
from theia_training.distillation.config import DistillConfig, OptimiserConfig, StudentConfig
from theia_training.distillation.record import write_run
from theia_training.distillation.trainer import Trainer
from theia_training.features.ranks import Ranks
from theia_training.finetuning.config import MOST_LOST, FinetuneConfig
from theia_training.finetuning.robot_features import ROBOT

CONTROL, CONTINUED = "control", "continued"
Row = dict[str, float]


@dataclass(frozen=True)
class Comparison:
    """Held-out feature errors, the loss of the paper's Eq. 1, of one set before and after.

    Attributes:
        images: held-out images.
        before: error of the encoder of before.
        after: error of the fine-tuned one.
    """

    images: int
    before: float
    after: float

    @property
    def change(self) -> float:
        """Change as a share of the error before; below 0 is better."""
        return self.after / self.before - 1


def distil(config: FinetuneConfig, name: str, on_row: Callable[[Row, int], None]) -> dict[str, Any]:
    """Train control or continuation in `config.out`/name, or take over what a finished run recorded.

    Args:
        config: the fine-tuning; its robot store must be there.
        name: `CONTROL` or `CONTINUED`.
        on_row: told each row of the log, and the number of updates of the run.

    Raises:
        TheiaError: if start and features do not fit, or the loss stops being finite.
    """
    trainer = Trainer(distill_config(config, name), Ranks(0, 1))
    trainer.out.mkdir(parents=True, exist_ok=True)
    trainer.resume()
    trainer.fit(on_row=lambda row: on_row(row, trainer.updates))
    return write_run(trainer)


def distill_config(config: FinetuneConfig, name: str) -> DistillConfig:
    """The distillation that is run."""
    start = variant_of_config(config.start / CONFIG)
    stores = (str(config.out / ROBOT), *config.general)
    frozen = name == CONTROL
    return DistillConfig(
        features=stores,
        out=str(config.out / name),
        epochs=config.epochs,
        batch_size=config.batch_size,
        precision=config.precision,
        ema_decay=0.99,
        seed=config.seed,
        validation_images=0,
        log_every=10,
        threads=config.threads,
        student=StudentConfig(
            size=start.size,
            registers=start.registers,
            translator=start.translator,
            start=str(config.start),
            freeze_backbone=frozen,
            translators_first=0 if frozen else _first_updates(config, stores),
        ),
        optimiser=OptimiserConfig(
            learning_rate=config.learning_rate,
            reference_batch=config.batch_size,
            schedule="cosine",
            warmup_share=0.05,
            clip_norm=1.0,
            backbone_scale=config.backbone_scale,
        ),
    )


def _first_updates(config: FinetuneConfig, stores: tuple[str, ...]) -> int:
    from theia_training.distillation.feed import FeatureSet

    updates = config.epochs * (len(FeatureSet(stores).train) // config.batch_size)
    return round(config.translators_first * updates)


def compare(control: Mapping[str, Any], continued: Mapping[str, Any]) -> dict[str, Comparison]:
    """Errors of the robot frames ("robot") and of the general set ("general") before and after."""
    before, after = control["held_out_by_store"], continued["held_out_by_store"]
    robot = [store for store in after if Path(store).name == ROBOT]
    general = [store for store in after if store not in robot]
    sets = {"robot": robot, "general": general}
    return {name: _joined(stores, before, after) for name, stores in sets.items() if stores}


def _joined(stores: list[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    images = sum(after[store]["images"] for store in stores)

    def mean(record: Mapping[str, Any]) -> float:
        return sum(record[store]["images"] * record[store]["loss"] for store in stores) / images

    return Comparison(images, mean(before), mean(after))


def verdict(comparisons: Mapping[str, Comparison]) -> tuple[bool, list[str]]:
    """Whether the fine-tuned encoder is better on robot frames at little cost, and sentences that say so."""
    lines = [
        f"{name} set, {c.images} held-out images: feature error {c.before:.4f} before, {c.after:.4f} after "
        f"({100 * c.change:+.1f} %)"
        for name, c in comparisons.items()
    ]
    robot, general = comparisons["robot"], comparisons.get("general")
    better = robot.change < 0
    kept = general is None or general.change <= MOST_LOST
    if not better:
        lines.append("robot frames are not predicted better: keep the encoder that you had")
    if general is None:
        lines.append("the general set has no held-out image: what it lost is not known")
    elif not kept:
        lines.append(
            f"the general set's error rose by more than {100 * MOST_LOST:.0f} %: train less, or more slowly"
        )
    return better and kept, lines
