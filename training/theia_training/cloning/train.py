"""Train a policy on demonstrations, on frozen spatial tokens or together with its encoder.

    theia train door --data data/door --out runs/door                      # two CPU cores, 10 minutes
    theia train door --data data/door --out runs/paper --recipe paper      # Table 9 of the paper; hours
    theia train microwave --data data/microwave --out runs/microwave --finetune-encoder
    theia train drawer --data data/drawer --out runs/drawer                # a diffusion policy (Table 10)

The loss is over the actions of the chunk that lie inside the episode; a `Method` says which loss, and which
kind of policy. This file is the loop; what learns is a `Learner`.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from theia_core.errors import TheiaError
from theia_training.checkpoint import FILE, load_checkpoint, read_state, save_checkpoint
from theia_training.cloning.config import TRAIN_FIRST, FineTuning, TrainConfig
from theia_training.cloning.curves import write_curves
from theia_training.cloning.episode_cache import Read, read_control_steps
from theia_training.cloning.frozen_tokens import FrozenTokens
from theia_training.cloning.learner import Learner

__all__ = ["FineTuning", "TrainConfig", "train"]

CHECKPOINT_EVERY_S = 30.0
# Writing checkpoints may take this share of the time.
_CHECKPOINT_SHARE = 0.05
# Folder, in a fine-tuning run's own, of the policy that was trained on frozen tokens first.
FIRST = "frozen"
Row = dict[str, float]


def train(
    config: TrainConfig,
    read: Read = read_control_steps,
    on_epoch: Callable[[Row], None] | None = None,
) -> Path:
    """Train a policy and write it to `config.out`.

    Args:
        config: what to train, on what, how.
        read: reads an episode as `ControlSteps`.
        on_epoch: called with each epoch's row of the curves.

    Returns:
        `config.out`, which `theia_core.policies.load_policy` takes.

    Raises:
        TheiaError: if data, encoder or checkpoint do not fit, or loss or gradients stop being finite.
    """
    torch.set_num_threads(config.threads)
    if config.device != "cpu" and not torch.cuda.is_available():
        raise TheiaError(f"torch {torch.__version__} sees no GPU here; train with --device cpu")
    if not config.resume and any((folder / FILE).exists() for folder in (config.out, config.out / FIRST)):
        raise TheiaError(f"{config.out} already holds a training run; add --resume, or choose another --out")
    run = _Run(config, _learner(config, read))
    config.out.mkdir(parents=True, exist_ok=True)
    # A run that was stopped while its first policy trained has no checkpoint of its own yet.
    if config.resume and ((config.out / FILE).exists() or not (config.out / FIRST / FILE).exists()):
        run.resume()
    run.fit(on_epoch)
    write_curves(config.out, run.rows, picture_of=run.learner.method.loss_name)
    run.learner.export(run.average.eval().cpu(), run.description())
    return config.out


def _learner(config: TrainConfig, read: Read) -> Learner:
    if config.finetuning is None:
        return FrozenTokens(config, read)
    from theia_training.cloning.finetune_encoder import FineTuned, check_finetuning

    check_finetuning(config)
    if config.finetuning.init_policy != TRAIN_FIRST:
        return FineTuned(config, read)
    out = config.out / FIRST
    recipe = config.finetuning.first_recipe
    train(replace(config, out=out, finetuning=None, recipe=recipe, resume=(out / FILE).exists()), read)
    return FineTuned(replace(config, finetuning=replace(config.finetuning, init_policy=str(out))), read)


def device_name(device: str) -> str:
    """What learned: the GPU's model, or "cpu"."""
    return "cpu" if device == "cpu" else torch.cuda.get_device_name(device)


class _Run:
    """State of a training run: weights, their average, optimiser, curves and how far it got."""

    def __init__(self, config: TrainConfig, learner: Learner) -> None:
        self.config, self.recipe, self.learner = config, config.recipe, learner
        self.model = learner.model.to(config.device)
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        groups = learner.parameter_groups()
        self.optimiser = torch.optim.AdamW(groups, self.recipe.learning_rate, self.recipe.betas, fused=True)
        self.rows: list[Row] = []
        self.update = 0
        self._sums = {"loss": 0.0, "seconds": 0.0}
        steps = len(learner.data.training)
        self.epoch_steps = min(self.recipe.epoch_steps or steps, steps)
        self.updates_per_epoch = -(-self.epoch_steps // self.recipe.batch_size)
        epochs = self.recipe.epochs or -(-self.recipe.updates // self.updates_per_epoch)
        self.updates = self.updates_per_epoch * epochs

    def identity(self) -> dict[str, Any]:
        """What must not change between a run and its resumption."""
        return {
            "task": self.config.task,
            "encoder_id": self.learner.encoder.encoder_id,
            "data": self.learner.data.content_hash,
            "seed": self.config.seed,
            "validation_fraction": self.config.validation_fraction,
            "recipe": self.recipe.to_dict(),
            **self.learner.identity(),
        }

    def save(self) -> None:
        """Write a checkpoint from which `resume` goes on as if nothing had happened."""
        progress = {"update": self.update, "sums": self._sums, "rows": self.rows}
        state = {**progress, "identity": self.identity()}
        save_checkpoint(self.config.out, self.model, self.average, self.optimiser, state)

    def resume(self) -> None:
        """Take over the checkpoint in the output folder, which must be of this very run."""
        state, identity = read_state(self.config.out), self.identity()
        # Names of both, so that neither side has an entry that the other lacks.
        for name in (*identity, *(state["identity"].keys() - identity.keys())):
            before, now = state["identity"].get(name), identity.get(name)
            if before != now:
                raise TheiaError(
                    f"the run in {self.config.out} had {name} {before}, now it is {now}; "
                    "start again in another --out"
                )
        load_checkpoint(self.config.out, self.model, self.average, self.optimiser)
        self.update, self._sums, self.rows = state["update"], state["sums"], state["rows"]

    def fit(self, on_epoch: Callable[[Row], None] | None) -> None:
        """Do the remaining updates."""
        wait_s, saved_s = CHECKPOINT_EVERY_S, time.monotonic()
        done = len(self.rows) * self.epoch_steps
        done += self.update % self.updates_per_epoch * self.recipe.batch_size
        bar = tqdm(
            total=self.epoch_steps * (self.updates // self.updates_per_epoch),
            initial=done,
            desc=f"train {self.config.task}",
            unit="step",
            unit_scale=True,
            disable=not self.config.progress,
        )
        with bar:
            while self.update < self.updates:
                bar.update(self._update())
                ended = self.update % self.updates_per_epoch == 0
                if ended:
                    self.rows.append(self._end_of_epoch())
                    write_curves(self.config.out, self.rows)
                    bar.set_postfix_str(
                        f"loss {self.rows[-1]['train_loss']:.4f}, "
                        f"validation {self.rows[-1]['validation_loss']:.4f}"
                    )
                if time.monotonic() - saved_s > wait_s or self.update == self.updates:
                    started_s = time.monotonic()
                    self.save()
                    saved_s = time.monotonic()
                    wait_s = max(CHECKPOINT_EVERY_S, (saved_s - started_s) / _CHECKPOINT_SHARE)
                if ended and on_epoch is not None:
                    on_epoch(self.rows[-1])

    def _batch(self) -> np.ndarray:
        """Samples (B,) of the next update."""
        epoch, place = divmod(self.update, self.updates_per_epoch)
        order = np.random.default_rng([self.config.seed, epoch]).permutation(len(self.learner.data.training))
        size = self.recipe.batch_size
        return order[: self.epoch_steps][place * size : (place + 1) * size]

    def _update(self) -> int:
        """One update; returns how many steps it saw."""
        started_s = time.monotonic()
        recipe, batch = self.recipe, self._batch()
        rate = recipe.learning_rate_at(self.update, self.updates)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["scale"]
        # Noise belongs to the update, so a resumed run draws what an uninterrupted one would have.
        torch.manual_seed(1_000_003 * self.config.seed + self.update)
        self.model.train()
        loss = self.learner.loss(batch, np.random.default_rng([self.config.seed, 2, self.update]))
        if not torch.isfinite(loss):
            self._refuse("loss", loss.item())
        self.optimiser.zero_grad()
        loss.backward()
        # Gradients may break where the loss does not; after the step the weights would be lost.
        limit = recipe.clip_norm or float("inf")
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), limit)
        if not torch.isfinite(norm):
            self._refuse("norm of the gradients", norm.item())
        self.optimiser.step()
        # Early averages forget faster, or the random start would stay in them.
        decay = min(recipe.ema_decay, (1 + self.update) / (10 + self.update))
        with torch.no_grad():
            averages, weights = list(self.average.parameters()), list(self.model.parameters())
            torch._foreach_lerp_(averages, weights, 1 - decay)
        self.update += 1
        self._sums["loss"] += float(loss.detach()) * len(batch)
        self._sums["seconds"] += time.monotonic() - started_s
        return len(batch)

    def _refuse(self, what: str, value: float) -> None:
        raise TheiaError(
            f"the {what} became {value} at update {self.update}; "
            f"use a lower learning rate than {self.recipe.learning_rate}"
        )

    def _end_of_epoch(self) -> Row:
        sums, self._sums = self._sums, {"loss": 0.0, "seconds": 0.0}
        return {
            "epoch": self.update // self.updates_per_epoch,
            "update": self.update,
            "learning_rate": self.recipe.learning_rate_at(self.update - 1, self.updates),
            "train_loss": sums["loss"] / self.epoch_steps,
            **self.learner.evaluate(self.average),
            "seconds": sums["seconds"],
            "steps_per_s": self.epoch_steps / sums["seconds"],
        }

    def description(self) -> dict[str, Any]:
        """Contents of policy.json but for the encoder, the sizes of the network and the weights' hash."""
        data, method = self.learner.data, self.learner.method
        horizon = data.task.chunk_horizon
        return {
            "name": f"{data.task.id}-{method.suffix}",
            "kind": method.kind,
            "task": data.task.id,
            "action_space": data.task.action_space,
            "horizon": horizon,
            "dt_s": 1 / data.task.control_rate_hz,
            "execute_steps": min(self.config.execute_steps, horizon),
            "training": {
                **self.identity(),
                "episodes": data.counts[0],
                "validation_episodes": data.counts[1],
                "steps": len(data.training),
                "validation_steps": len(data.held_out),
                "device": device_name(self.config.device),
                "seconds": round(sum(row["seconds"] for row in self.rows), 1),
                "last_epoch": self.rows[-1],
            },
        }
