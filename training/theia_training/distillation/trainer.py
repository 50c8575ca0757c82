"""The distillation loop: resumable to the bit, data-parallel under torchrun, stopped by a broken loss."""

import contextlib
import copy
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from theia_core.errors import TheiaError
from theia_core.files import write_json
from theia_training.checkpoint import FILE, load_checkpoint, read_state, save_checkpoint
from theia_training.distillation.config import DistillConfig
from theia_training.distillation.feed import Batch, FeatureSet, prefetched
from theia_training.distillation.loss import distillation_loss
from theia_training.distillation.schedule import learning_rate
from theia_training.distillation.student import build_student, parameter_groups
from theia_training.distillation.validation import held_out_sample, validate
from theia_training.features.ranks import Ranks

Row = dict[str, float]


class Trainer:
    """State of one distillation run on one rank.

    Attributes:
        rows: one row per `log_every` updates: rate, losses, throughput and where the time went.
        validations: one row per validation.
        update: updates done.
    """

    def __init__(self, config: DistillConfig, ranks: Ranks, features: FeatureSet | None = None) -> None:
        """Build the student and open the features.

        Raises:
            TheiaError: if features or initial weights do not fit.
        """
        torch.set_num_threads(config.threads)
        self.config, self.ranks = config, ranks
        self.features = features or FeatureSet(config.features, config.loss.distil_cls, config.teachers)
        config.loss.alphas(tuple(teacher.name for teacher in self.features.teachers))
        self.global_batch = config.batch_size * config.accumulate * ranks.count
        self.updates_per_epoch = len(self.features.train) // self.global_batch
        if self.updates_per_epoch == 0:
            raise TheiaError(
                f"{len(self.features.train)} training samples do not fill one batch of {self.global_batch}; "
                "use a smaller batch or more images"
            )
        self.updates = config.epochs * self.updates_per_epoch
        self.device = (
            torch.device("cuda", torch.cuda.current_device())
            if torch.cuda.is_available()
            else torch.device("cpu")
        )
        torch.manual_seed(config.seed)
        name = f"theia-{config.student.size}"
        student = build_student(config.student, self.features.teachers, config.loss.distil_cls, name)
        self.student = student.to(self.device)
        self.average = copy.deepcopy(self.student).eval().requires_grad_(False)
        self.parallel: nn.Module = self.student
        if ranks.count > 1:
            partly = config.student.translators_first > 0
            self.parallel = DistributedDataParallel(self.student, find_unused_parameters=partly)
        settings = config.optimiser
        groups = parameter_groups(self.student, settings.weight_decay, settings.backbone_scale)
        self.optimiser = torch.optim.AdamW(groups, settings.learning_rate, settings.betas, fused=True)
        self.rows: list[Row] = []
        self.validations: list[Row] = []
        self.update = 0
        self._sums: dict[str, float] = {}
        self._validation = held_out_sample(self.features, config.validation_images)

    @property
    def out(self) -> Path:
        """The run's folder."""
        return Path(self.config.out)

    def identity(self) -> dict[str, Any]:
        """What must not change between a run and its resumption."""
        config = self.config.to_dict()
        for free in (
            "out",
            "features",
            "teachers",
            "threads",
            "log_every",
            "checkpoint_every_s",
            "validation_images",
            "validate_every",
        ):
            del config[free]
        teachers = {t.name: t.weights_sha256 for t in self.features.teachers}
        return {
            "config": config,
            "teachers": teachers,
            "samples": len(self.features.train),
            "images": list(self.features.images),
            "ranks": self.ranks.count,
        }

    def save(self) -> None:
        """Write the checkpoint (rank 0)."""
        if self.ranks.rank == 0:
            state = {
                "identity": self.identity(),
                "update": self.update,
                "rows": self.rows,
                "validations": self.validations,
                "sums": self._sums,
            }
            save_checkpoint(self.out, self.student, self.average, self.optimiser, state)

    def resume(self) -> bool:
        """Take over the checkpoint in the run's folder; returns whether there was one.

        Raises:
            TheiaError: if it belongs to another run.
        """
        if not (self.out / FILE).exists():
            return False
        state = read_state(self.out)
        for name, value in self.identity().items():
            before = state["identity"].get(name)
            if before != value:
                raise TheiaError(
                    f"the run in {self.out} had {name} {before}, now it is {value}; choose another out"
                )
        load_checkpoint(self.out, self.student, self.average, self.optimiser)
        self.update, self.rows = state["update"], state["rows"]
        self.validations, self._sums = state["validations"], state["sums"]
        return True

    def fit(
        self,
        on_row: Callable[[Row], None] = lambda row: None,
        on_validation: Callable[[Row], None] = lambda row: None,
    ) -> None:
        """Do the remaining updates.

        Raises:
            TheiaError: if the loss stops being finite; the keys of its batch are saved before.
        """
        saved_s = time.monotonic()
        batches = self._batches()
        while self.update < self.updates:
            self._timed_update(batches)
            done = self.update == self.updates
            if self.update % self.config.log_every == 0 or done:
                self.rows.append(self._row())
                on_row(self.rows[-1])
            if self.update % self.config.validate_every == 0 or done:
                self._validate(on_validation)
            if time.monotonic() - saved_s > self.config.checkpoint_every_s or done:
                self.save()
                saved_s = time.monotonic()

    def _batches(self) -> Iterator[Batch]:
        """The remaining batches of this rank, over all epochs."""
        config, size = self.config, self.config.batch_size
        first, skip = divmod(self.update, self.updates_per_epoch)
        for epoch in range(first, config.epochs):
            order = self.features.order(config.seed, epoch, config.shuffle_shards)
            order = order[: self.updates_per_epoch * self.global_batch]
            # (updates, accumulate, ranks, batch): the same global batch whatever the number of ranks
            places = order.reshape(-1, config.accumulate, self.ranks.count, size)[skip:, :, self.ranks.rank]
            yield from prefetched(self.features, places.reshape(-1, size))
            skip = 0

    def _timed_update(self, batches: Iterator[Batch]) -> None:
        config = self.config
        rate = learning_rate(config.optimiser, self.update, self.updates, self.global_batch)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["scale"]
        self.student.train()
        keys: list[str] = []
        total = 0.0
        started_s = time.monotonic()
        data_s = 0.0
        for step in range(config.accumulate):
            waiting_s = time.monotonic()
            batch = next(batches)
            data_s += time.monotonic() - waiting_s
            keys += batch.keys
            last = step + 1 == config.accumulate
            quiet = contextlib.nullcontext() if last or self.ranks.count == 1 else self.parallel.no_sync()
            with quiet:
                total += self._backward(batch)
        total = self._mean_over_ranks(total / config.accumulate)
        if not np.isfinite(total):
            self._refuse(total, keys)
        # Gradients may break where the loss does not; after the step the weights would be lost. Every rank
        # has the same gradients, so all stop together.
        limit = config.optimiser.clip_norm
        norm = torch.nn.utils.clip_grad_norm_(self.student.parameters(), limit or float("inf"))
        if not torch.isfinite(norm):
            self._refuse(float(norm), keys, "gradient norm")
        self.optimiser.step()
        self.optimiser.zero_grad()
        model_s = time.monotonic() - started_s - data_s
        self._average()
        self.update += 1
        self._add("loss", total)
        self._add("updates", 1)
        self._add("data_s", data_s)
        self._add("model_s", model_s)
        self._add("wall_s", time.monotonic() - started_s)

    def _backward(self, batch: Batch) -> float:
        config = self.config
        images = batch.images.to(self.device, non_blocking=True)
        targets = {name: target.to(self.device, non_blocking=True) for name, target in batch.targets.items()}
        with torch.autocast(self.device.type, torch.bfloat16, enabled=config.precision == "bf16"):
            predictions = self.parallel(images, self.update < config.student.translators_first)
        loss, parts = distillation_loss(predictions, targets, config.loss)
        (loss / config.accumulate).backward()
        for name, part in parts.items():
            self._add(f"loss_{name}", float(part.detach()) / config.accumulate)
        return float(loss.detach())

    def _average(self) -> None:
        # Early averages forget faster, or the random start would stay in them.
        decay = min(self.config.ema_decay, (1 + self.update) / (10 + self.update))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.student.parameters()), 1 - decay)

    def _mean_over_ranks(self, value: float) -> float:
        if self.ranks.count == 1:
            return value
        tensor = torch.tensor(value, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(tensor)
        return float(tensor) / self.ranks.count

    def _refuse(self, value: float, keys: list[str], name: str = "loss") -> None:
        path = self.out / f"not_finite_update_{self.update}_rank_{self.ranks.rank}.json"
        write_json(path, {"update": self.update, name: str(value), "keys": keys})
        raise TheiaError(
            f"the {name} became {value} at update {self.update}; the batch's keys are in {path}. "
            "Run `theia features check`, use a lower learning rate, or fp32; --resume goes on from the last "
            "checkpoint"
        )

    def _add(self, name: str, value: float) -> None:
        self._sums[name] = self._sums.get(name, 0.0) + value

    def _row(self) -> Row:
        sums, self._sums = self._sums, {}
        updates, wall_s = sums.pop("updates"), sums.pop("wall_s")
        data_s, model_s = sums.pop("data_s"), sums.pop("model_s")
        return {
            "update": self.update,
            "epoch": self.update / self.updates_per_epoch,
            "learning_rate": learning_rate(
                self.config.optimiser, self.update - 1, self.updates, self.global_batch
            ),
            **{name: self._mean_over_ranks(value / updates) for name, value in sums.items()},
            "images_per_s": updates * self.global_batch / wall_s,
            "model_share": model_s / wall_s,
            "data_share": data_s / wall_s,
            "eta_s": (self.updates - self.update) * wall_s / updates,
        }

    def _validate(self, on_validation: Callable[[Row], None]) -> None:
        if self.ranks.rank == 0 and len(self._validation):
            values = validate(self.average, self.features, self._validation, self.config.loss, self.device)
            self.validations.append(
                {"update": self.update, "epoch": self.update / self.updates_per_epoch, **values}
            )
            on_validation(self.validations[-1])
        self.ranks.barrier()
