"""Train a behaviour-cloning policy on frozen spatial tokens.

    theia train door --data data/door --out runs/door                      # two CPU cores, 10 minutes
    theia train door --data data/door --out runs/paper --recipe paper      # Table 9 of the paper; hours

The loss is smooth L1 on actions scaled to unit variance (paper, Table 9), over the actions of the chunk that
lie inside the episode.
"""

import copy
import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from theia_core.encoders import Encoder, load_encoder
from theia_core.errors import TheiaError
from theia_core.policies.bc_mlp import BcMlp
from theia_core.policies.config import PolicyConfig
from theia_core.policies.normalisation import JOINT_STD_FLOOR, action_scale, scale_of
from theia_core.tasks import get_task
from theia_training.bc_objective import chunk_loss, disturb, evaluate, tensors_of
from theia_training.checkpoint import FILE, load_checkpoint, read_state, save_checkpoint
from theia_training.curves import write_curves
from theia_training.demonstrations import Demonstrations, split_by_episode
from theia_training.export_policy import export_policy
from theia_training.recipes import RECIPES, Recipe
from theia_training.token_cache import TokenCache, TokenEpisode, read_control_steps

CHECKPOINT_EVERY_S = 30.0


@dataclass(frozen=True)
class TrainConfig:
    """One training run.

    Attributes:
        task: name in `theia_core.tasks`.
        data: folders that are searched for episodes.
        out: folder that receives the policy, its curves and the checkpoint.
        encoder: name or folder of the frozen encoder.
        recipe: optimisation and regularisation.
        execute_steps: actions of a chunk that are executed before the next one is asked for.
        validation_fraction: share of the episodes held out.
        seed: of the weights, the split, the order and the noise.
        threads: CPU threads.
        resume: continue the run whose checkpoint lies in `out`.
        cache: folder of the token cache; by default `.token-cache` in the first data folder.
        progress: show progress bars.
    """

    task: str
    data: tuple[Path, ...]
    out: Path
    encoder: str = "efficientnet-lite2-s16"
    recipe: Recipe = RECIPES["cpu"]
    execute_steps: int = 4
    validation_fraction: float = 0.1
    seed: int = 0
    threads: int = 2
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


def train(
    config: TrainConfig,
    read: Callable[[Path, float], Any] = read_control_steps,
    on_epoch: Callable[[dict[str, float]], None] | None = None,
) -> Path:
    """Train a policy and write it to `config.out`.

    Args:
        config: what to train, on what, how.
        read: reads an episode as `ControlSteps`.
        on_epoch: called with each epoch's row of the curves.

    Returns:
        `config.out`, which `theia_core.policies.load_policy` takes.

    Raises:
        TheiaError: if data, encoder or checkpoint do not fit, or the loss stops being finite.
    """
    torch.set_num_threads(config.threads)
    if not config.resume and (config.out / FILE).exists():
        raise TheiaError(f"{config.out} already holds a training run; add --resume, or choose another --out")
    encoder = load_encoder(config.encoder, threads=config.threads)
    episodes = _load_episodes(config, encoder, read)
    run = _Run(config, encoder, episodes)
    config.out.mkdir(parents=True, exist_ok=True)
    if config.resume:
        run.resume()
    run.fit(on_epoch)
    write_curves(config.out, run.rows)
    export_policy(config.out, run.average.eval(), run.description(), run.demonstrations.tokens(np.arange(1)))
    return config.out


def _load_episodes(
    config: TrainConfig, encoder: Encoder, read: Callable[[Path, float], Any]
) -> list[TokenEpisode]:
    from theia_core.episodes import find_episodes

    paths = [path for folder in config.data for path in find_episodes(folder)]
    if not paths:
        folders = ", ".join(str(folder) for folder in config.data)
        raise TheiaError(
            f"no episodes in {folders}; record some with: theia collect {config.task} --out FOLDER"
        )
    cache = config.cache or config.data[0] / ".token-cache"
    return TokenCache(cache, encoder, get_task(config.task).control_rate_hz, read).episodes(
        paths, config.progress
    )


class _Run:
    """State of a training run: data, weights, their average, optimiser and curves."""

    def __init__(self, config: TrainConfig, encoder: Encoder, episodes: list[TokenEpisode]) -> None:
        self.config, self.recipe = config, config.recipe
        self.task = get_task(config.task)
        training, validation = split_by_episode(episodes, config.validation_fraction, config.seed)
        horizon = self.task.chunk_horizon
        self.demonstrations = Demonstrations(training, horizon)
        self.held_out = Demonstrations(validation, horizon)
        self.encoder = encoder
        self.episodes = (len(training), len(validation))
        self.data_hash = hashlib.sha256(
            "".join(sorted(episode.content_hash for episode in episodes)).encode()
        ).hexdigest()[:16]
        torch.manual_seed(config.seed)
        self.model = BcMlp(
            PolicyConfig(
                encoder.spec.grid, encoder.spec.channels, horizon=horizon, dropout=config.recipe.dropout
            ),
            scale_of((episode.tokens[::4] for episode in training), 1e-3),
            scale_of((episode.joints for episode in training), JOINT_STD_FLOOR),
            action_scale((episode.actions for episode in training), self.task.action_space),
        )
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        recipe = config.recipe
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(),
            recipe.learning_rate,
            recipe.betas,
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        self.rows: list[dict[str, float]] = []
        self.updates_per_epoch = -(-len(self.demonstrations) // recipe.batch_size)

    def identity(self) -> dict[str, Any]:
        """What must not change between a run and its resumption."""
        return {
            "task": self.config.task,
            "encoder_id": self.encoder.encoder_id,
            "data": self.data_hash,
            "seed": self.config.seed,
            "validation_fraction": self.config.validation_fraction,
            "recipe": {**asdict(self.recipe), "betas": list(self.recipe.betas)},
        }

    def save(self) -> None:
        """Write a checkpoint from which `resume` goes on as if nothing had happened."""
        state = {"rows": self.rows, "identity": self.identity()}
        save_checkpoint(self.config.out, self.model, self.average, self.optimiser, state)

    def resume(self) -> None:
        """Take over the checkpoint in the output folder, which must be of this very run."""
        state = read_state(self.config.out)
        for name, value in self.identity().items():
            before = state["identity"].get(name)
            if before != value:
                raise TheiaError(
                    f"the run in {self.config.out} had {name} {before}, now it is {value}; "
                    "start again in another --out"
                )
        load_checkpoint(self.config.out, self.model, self.average, self.optimiser)
        self.rows = state["rows"]

    def fit(self, on_epoch: Callable[[dict[str, float]], None] | None) -> None:
        """Train the remaining epochs."""
        saved_s = time.monotonic()
        done, epochs = len(self.rows), self.recipe.epochs
        bar = tqdm(
            total=epochs * len(self.demonstrations),
            initial=done * len(self.demonstrations),
            desc=f"train {self.config.task}",
            unit="step",
            unit_scale=True,
            disable=not self.config.progress,
        )
        with bar:
            for epoch in range(done, epochs):
                row = self._epoch(epoch, bar)
                self.rows.append(row)
                bar.set_postfix_str(f"loss {row['train_loss']:.4f}, validation {row['validation_loss']:.4f}")
                if time.monotonic() - saved_s > CHECKPOINT_EVERY_S or epoch + 1 == epochs:
                    self.save()
                    write_curves(self.config.out, self.rows, picture=False)
                    saved_s = time.monotonic()
                if on_epoch is not None:
                    on_epoch(row)

    def _epoch(self, epoch: int, bar: Any) -> dict[str, float]:
        started_s = time.monotonic()
        # Order and noise belong to the epoch, so a resumed run draws what an uninterrupted one would have.
        torch.manual_seed(1_000_003 * self.config.seed + epoch)
        order = np.random.default_rng([self.config.seed, epoch]).permutation(len(self.demonstrations))
        self.model.train()
        total, update = 0.0, epoch * self.updates_per_epoch
        for start in range(0, len(order), self.recipe.batch_size):
            batch = order[start : start + self.recipe.batch_size]
            total += self._update(batch, update) * len(batch)
            update += 1
            bar.update(len(batch))
        seconds = time.monotonic() - started_s
        return {
            "epoch": epoch + 1,
            "update": update,
            "learning_rate": self.recipe.learning_rate_at(
                update - 1, self.updates_per_epoch * self.recipe.epochs
            ),
            "train_loss": total / len(order),
            **evaluate(self.average, self.held_out),
            "seconds": seconds,
            "steps_per_s": len(order) / seconds,
        }

    def _update(self, batch: np.ndarray, update: int) -> float:
        recipe = self.recipe
        rate = recipe.learning_rate_at(update, self.updates_per_epoch * recipe.epochs)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        tokens, joints, targets, mask = tensors_of(self.model, self.demonstrations, batch)
        tokens, joints = disturb(tokens, joints, recipe)
        loss = chunk_loss(self.model.chunk(tokens, joints), targets, mask, recipe.gripper_weight)
        if not torch.isfinite(loss):
            raise TheiaError(
                f"the loss became {loss.item()} at update {update}; "
                f"use a lower learning rate than {recipe.learning_rate}"
            )
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        # Early averages forget faster, or the random start would stay in them.
        decay = min(recipe.ema_decay, (1 + update) / (10 + update))
        with torch.no_grad():
            averages, weights = list(self.average.parameters()), list(self.model.parameters())
            torch._foreach_lerp_(averages, weights, 1 - decay)
        return float(loss.detach())

    def description(self) -> dict[str, Any]:
        """Contents of policy.json but for the weights' hash."""
        horizon, rate_hz = self.task.chunk_horizon, self.task.control_rate_hz
        return {
            "name": f"{self.task.id}-bc",
            "kind": "bc_mlp",
            "task": self.task.id,
            "encoder": self.encoder.spec.name,
            "encoder_id": self.encoder.encoder_id,
            "encoder_licence": self.encoder.spec.licence,
            "action_space": self.task.action_space,
            "horizon": horizon,
            "dt_s": 1 / rate_hz,
            "execute_steps": min(self.config.execute_steps, horizon),
            "config": self.model.config.to_dict(),
            "training": {
                **self.identity(),
                "episodes": self.episodes[0],
                "validation_episodes": self.episodes[1],
                "steps": len(self.demonstrations),
                "validation_steps": len(self.held_out),
                "last_epoch": self.rows[-1],
            },
        }
