"""What one fine-tuning by continued distillation is."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from theia_core.encoders.registry import shipped_folder
from theia_core.encoders.theia_checkpoint import CONFIG
from theia_core.errors import TheiaError

# The general set's held-out feature error may rise by so much, as a share of it.
MOST_LOST = 0.05


@dataclass(frozen=True)
class FinetuneConfig:
    """Continued distillation on robot frames mixed with the general set.

    Attributes:
        encoder: shipped name or folder of the Theia encoder to go on from.
        bags: episodes, or folders of them.
        general: feature stores of the general set; their teachers are the ones that are distilled.
        out: folder of everything that is made.
        teachers: teacher -> its config or folder, where its name is not enough.
        robot_share: share of robot frames among the samples, by taking every n-th frame of the bags.
        every: take every n-th frame instead; 0 for what `robot_share` asks for.
        held_out: share of the episodes that are held out.
        epochs: passes over the mixed set.
        batch_size: images per update.
        learning_rate: of the translators, at any batch.
        backbone_scale: the backbone's rate as a share of it.
        translators_first: share of the updates in which only the translators learn.
        precision: "fp32", or "bf16" where the machine is quick at it.
        seed: of order and new translators.
        threads: CPU threads.
    """

    encoder: str
    bags: tuple[Path, ...]
    general: tuple[str, ...]
    out: Path
    teachers: dict[str, str] = field(default_factory=dict)
    robot_share: float = 0.4
    every: int = 0
    held_out: float = 0.15
    epochs: int = 2
    batch_size: int = 16
    learning_rate: float = 3e-4
    backbone_scale: float = 0.3
    translators_first: float = 0.2
    precision: str = "fp32"
    seed: int = 0
    threads: int = 2

    def __post_init__(self) -> None:
        """Refuse a run that could not start."""
        if not self.bags or not self.general:
            raise TheiaError("fine-tuning needs bags and a general set: robot frames alone make it worse")
        for name in ("robot_share", "held_out"):
            if not 0 < getattr(self, name) < 1:
                raise TheiaError(f"{name} is {getattr(self, name)}; give a share between 0 and 1")
        if not 0 <= self.translators_first < 1 or self.every < 0:
            raise TheiaError(f"translators_first {self.translators_first} or every {self.every} is no share")

    @property
    def start(self) -> Path:
        """Folder of the encoder to go on from.

        Raises:
            TheiaError: if it is no Theia encoder.
        """
        for folder in (Path(self.encoder), shipped_folder() / self.encoder):
            if (folder / CONFIG).is_file():
                return folder
        raise TheiaError(
            f"{self.encoder} is no Theia encoder; give a shipped one such as theia-tiny, or the folder of one"
        )

    def to_dict(self) -> dict[str, Any]:
        """What decides the result, as plain JSON values."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**values, "bags": [str(bag) for bag in self.bags], "out": str(self.out)}
