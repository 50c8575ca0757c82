"""What one run of behaviour cloning is: data, encoder, recipe, and how the encoder learns."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from theia_core.errors import TheiaError
from theia_training.cloning.recipes import RECIPES, Recipe

PRECISIONS = ("fp32", "bf16")
# Values of --init-policy that are no policy's name.
TRAIN_FIRST, FRESH = "auto", "none"
_BLOCKS = 12


@dataclass(frozen=True)
class FineTuning:
    """How the encoder learns together with the policy.

    Attributes:
        learning_rate_factor: the encoder's share of the recipe's learning rate.
        blocks: the last so many of the ViT's 12 blocks learn, and its final normalisation; with all 12 the
            embeddings learn too. The rest keeps its weights to the bit, and costs no backward pass.
        precision: arithmetic of the encoder in training; "bf16" needs a CPU or GPU with it. Weights, the
            policy, validation and what is exported are float32 either way.
        init_policy: policy whose neck, MLP and normalisation are the start: its shipped name or folder;
            "auto" trains one on the frozen encoder's tokens first, "none" starts from random weights.
        first_recipe: how the policy of "auto" is trained.
    """

    learning_rate_factor: float = 0.1
    blocks: int = _BLOCKS
    precision: str = "fp32"
    init_policy: str = TRAIN_FIRST
    first_recipe: Recipe = RECIPES["cpu"]

    def __post_init__(self) -> None:
        """Refuse values with which the encoder would not learn."""
        if not 0 < self.learning_rate_factor <= 1:
            raise TheiaError(
                f"the encoder's learning rate factor is {self.learning_rate_factor}; give a value above 0 up "
                "to 1, or leave --finetune-encoder out to keep the encoder frozen"
            )
        if not 1 <= self.blocks <= _BLOCKS:
            raise TheiaError(f"{self.blocks} blocks of the encoder cannot learn; give 1 to {_BLOCKS}")
        if self.precision not in PRECISIONS:
            raise TheiaError(f"unknown precision {self.precision!r}; choose {' or '.join(PRECISIONS)}")

    def to_dict(self) -> dict[str, Any]:
        """What decides the weights, but for the policy to start from, as plain JSON values."""
        return {
            "learning_rate_factor": self.learning_rate_factor,
            "blocks": self.blocks,
            "precision": self.precision,
        }


@dataclass(frozen=True)
class TrainConfig:
    """One training run.

    Attributes:
        task: name in `theia_core.tasks`.
        data: folders that are searched for episodes.
        out: folder that receives the policy, its curves and the checkpoint.
        encoder: name or folder of the encoder.
        recipe: optimisation and regularisation.
        finetuning: how the encoder learns; None keeps it frozen.
        execute_steps: actions of a chunk that are executed before the next one is asked for.
        validation_fraction: share of the episodes held out.
        seed: of the weights, the split, the order, the noise and the augmentation.
        threads: CPU threads.
        device: torch device on which everything learns, "cpu" or "cuda".
        resume: continue the run whose checkpoint lies in `out`.
        cache: folder of the caches; by default `.token-cache` in the first data folder.
        progress: show progress bars.
    """

    task: str
    data: tuple[Path, ...]
    out: Path
    encoder: str = "theia-tiny"
    recipe: Recipe = RECIPES["cpu"]
    finetuning: FineTuning | None = None
    execute_steps: int = 4
    validation_fraction: float = 0.1
    seed: int = 0
    threads: int = 2
    device: str = "cpu"
    resume: bool = False
    cache: Path | None = None
    progress: bool = True

    def __post_init__(self) -> None:
        """Refuse a run that could not start."""
        if not self.data:
            raise TheiaError("no data folder given; name at least one folder with episodes")
        if not 0 < self.validation_fraction < 1:
            raise TheiaError(
                f"validation_fraction is {self.validation_fraction}; give a share between 0 and 1"
            )
        if self.threads < 1 or self.execute_steps < 1:
            raise TheiaError(
                f"threads {self.threads} and execute_steps {self.execute_steps} must be at least 1"
            )
        if self.recipe.variants and self.finetuning:
            raise TheiaError(
                "variants are for a frozen encoder; with --finetune-encoder every frame is changed anew"
            )

    @property
    def encoder_runtime(self) -> str:
        """Runtime of `load_encoder` with which torch encodes on `device`."""
        return "torch" if self.device == "cpu" else "torch-cuda"

    @property
    def cache_folder(self) -> Path:
        """Folder of the caches."""
        return self.cache or self.data[0] / ".token-cache"
