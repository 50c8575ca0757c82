"""How policies are trained: the paper's recipes, and those that suit two CPU cores."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from theia_core.errors import TheiaError
from theia_core.policies.artefact import BC_MLP, DIFFUSION
from theia_training.cloning.augmentation import Augmentation


@dataclass(frozen=True)
class Recipe:
    """Optimisation and regularisation of one training run.

    Attributes:
        epochs: passes over the training steps; 0 where `updates` decides.
        updates: number of updates, rounded up to whole passes; 0 where `epochs` decides.
        batch_size: steps per update.
        learning_rate: peak learning rate of AdamW, which without weight decay is Adam.
        schedule: "constant", or "cosine" down to zero.
        warmup_updates: updates over which the learning rate grows from zero.
        weight_decay: AdamW's.
        betas: AdamW's.
        ema_decay: decay of the exponential moving average of the weights that is shipped; 0 ships the raw
            weights.
        dropout: in the hidden layers of MLP or denoiser.
        token_dropout: probability that a spatial token is replaced by the mean token.
        token_noise: Gaussian noise on normalised tokens, in standard deviations of a channel.
        joint_noise: Gaussian noise on normalised joint states, in standard deviations of a joint.
        gripper_weight: weight of the gripper's loss against one other action dimension.
        clip_norm: largest norm of all gradients together; 0 does not clip.
        epoch_steps: steps drawn for one epoch, a new part of the data each time; 0 takes all of it.
        augmentation: how frames are changed, None for not at all.
        variants: with a frozen encoder, augmented variants of each frame whose tokens are cached. One of them
            or the frame itself is drawn for each sample.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    schedule: str = "constant"
    warmup_updates: int = 0
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.999)
    ema_decay: float = 0.0
    dropout: float = 0.0
    token_dropout: float = 0.0
    token_noise: float = 0.0
    joint_noise: float = 0.0
    gripper_weight: float = 1.0
    clip_norm: float = 0.0
    epoch_steps: int = 0
    updates: int = 0
    augmentation: Augmentation | None = None
    variants: int = 0

    def __post_init__(self) -> None:
        """Refuse values with which training cannot run."""
        if (self.epochs < 1 and self.updates < 1) or self.batch_size < 1 or not self.learning_rate > 0:
            raise TheiaError(
                f"epochs {self.epochs}, batch size {self.batch_size} and learning rate {self.learning_rate} "
                "must be positive"
            )
        if self.epochs > 0 and self.updates > 0:
            raise TheiaError(f"epochs {self.epochs} and updates {self.updates} both decide; set one to 0")
        if self.schedule not in ("constant", "cosine"):
            raise TheiaError(f"unknown schedule {self.schedule!r}; choose constant or cosine")
        for name in ("ema_decay", "dropout", "token_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise TheiaError(f"{name} is {getattr(self, name)}; give a value from 0 to below 1")
        for name in ("clip_norm", "epoch_steps", "variants"):
            if not getattr(self, name) >= 0:
                raise TheiaError(f"{name} is {getattr(self, name)}; give 0 or more")

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values; `epochs` or `updates`, whichever decides."""
        values = {**asdict(self), "betas": list(self.betas)}
        del values["updates" if self.epochs else "epochs"]
        return values

    def learning_rate_at(self, update: int, updates: int) -> float:
        """Learning rate of the 0-based `update` out of `updates`."""
        warmup = min(1.0, (update + 1) / (self.warmup_updates + 1))
        if self.schedule == "constant":
            return self.learning_rate * warmup
        return self.learning_rate * warmup * 0.5 * (1 + math.cos(math.pi * update / updates))


RECIPES = {
    # Table 9 of the paper. 400 epochs of batch 16 are hours on a CPU.
    "paper": Recipe(epochs=400, batch_size=16, learning_rate=1e-4),
    # 7,500 updates in 8 minutes on two cores (pick_place). Batches of 128 take as long and learn less.
    "cpu": Recipe(
        epochs=16,
        batch_size=32,
        learning_rate=5e-4,
        schedule="cosine",
        warmup_updates=100,
        ema_decay=0.995,
        dropout=0.1,
        token_dropout=0.1,
        joint_noise=0.05,
    ),
    # Encoder and policy together, from a policy that was trained on the encoder's frozen tokens.
    "finetune": Recipe(
        epochs=6,
        batch_size=16,
        learning_rate=3e-4,
        schedule="cosine",
        warmup_updates=100,
        ema_decay=0.995,
        dropout=0.1,
        token_dropout=0.1,
        joint_noise=0.05,
        clip_norm=1.0,
    ),
}

# The same names for diffusion policies.
DIFFUSION_RECIPES = {
    # Table 10 of the paper (Adam, 3000 iterations), with the usual average of the weights.
    "paper": Recipe(
        epochs=0,
        updates=3000,
        batch_size=32,
        learning_rate=3e-4,
        schedule="cosine",
        weight_decay=0.0,
        ema_decay=0.995,
    ),
    "cpu": Recipe(
        epochs=0,
        updates=4000,
        batch_size=32,
        learning_rate=3e-4,
        schedule="cosine",
        warmup_updates=100,
        weight_decay=0.0,
        ema_decay=0.995,
        token_dropout=0.1,
        joint_noise=0.02,
    ),
    "finetune": Recipe(
        epochs=0,
        updates=3000,
        batch_size=16,
        learning_rate=3e-4,
        schedule="cosine",
        warmup_updates=100,
        weight_decay=0.0,
        ema_decay=0.995,
        token_dropout=0.1,
        joint_noise=0.02,
        clip_norm=1.0,
    ),
}
RECIPES_OF_KIND = {BC_MLP: RECIPES, DIFFUSION: DIFFUSION_RECIPES}
