"""End-to-end training: the encoder learns with the policy, at a lower learning rate (paper, 4.3)."""

from typing import Any

import numpy as np
import torch

from theia_core.encoders import load_encoder
from theia_core.encoders.registry import runs_on_torch
from theia_core.errors import TheiaError
from theia_core.policies.neck import ScaledPolicy
from theia_core.policies.normalisation import Scale, scale_of
from theia_core.runtimes.torch_theia import TheiaTorchRuntime
from theia_core.tasks import get_task
from theia_training.cloning.config import FRESH, FineTuning, TrainConfig
from theia_training.cloning.demonstrations import Demonstrations
from theia_training.cloning.episode_cache import Read
from theia_training.cloning.export_finetuned import export_finetuned
from theia_training.cloning.frame_cache import FrameCache
from theia_training.cloning.frozen_tokens import TOKEN_STD_FLOOR, untrained_policy
from theia_training.cloning.learner import SplitData, episode_paths
from theia_training.cloning.method import method_of
from theia_training.cloning.objective import Judged, disturb, evaluate, targets_of
from theia_training.cloning.pixel_policy import PixelPolicy, parameter_groups
from theia_training.cloning.warm_start import load_head
from theia_training.precision import bf16_complaint

# Validation runs the whole encoder, so it looks at this many held-out steps, evenly spaced.
VALIDATION_STEPS = 1024
_SCALE_FRAMES = 256
_BATCH = 16


def check_finetuning(config: TrainConfig) -> None:
    """Refuse an encoder that cannot learn, and an arithmetic that this machine lacks, before any work.

    Raises:
        TheiaError: saying what to choose instead.
    """
    if not runs_on_torch(config.encoder):
        raise TheiaError(
            f"--finetune-encoder cannot train {config.encoder}: it is an ONNX graph, which only runs. Choose "
            "--encoder theia-tiny or the folder of another Theia checkpoint, or leave --finetune-encoder out"
        )
    bf16 = config.finetuning is not None and config.finetuning.precision == "bf16"
    if bf16 and (complaint := bf16_complaint(config.device)):
        raise TheiaError(f"{complaint}; use --precision fp32")


class FineTuned:
    """The learner of encoder and policy; see `theia_training.cloning.learner.Learner`."""

    def __init__(self, config: TrainConfig, read: Read) -> None:
        """Load the encoder, decode frames that no cache holds, and build the policy to start from.

        Raises:
            TheiaError: if encoder, policy or data do not fit.
        """
        assert config.finetuning is not None
        self.config, self.recipe, self.settings = config, config.recipe, config.finetuning
        self.encoder = load_encoder(config.encoder, runtime=config.encoder_runtime, threads=config.threads)
        runtime = self.encoder.runtime
        assert isinstance(runtime, TheiaTorchRuntime)
        self.preprocessing = self.encoder.spec.preprocessing
        rate_hz = get_task(config.task).control_rate_hz
        cache = FrameCache(config.cache_folder, self.preprocessing, rate_hz, read, config.threads)
        self.method = method_of(get_task(config.task).policy_kind)
        self.data = SplitData(config, cache.episodes(episode_paths(config), config.progress))
        torch.manual_seed(config.seed)
        self._start: dict[str, Any] = {"policy": FRESH, "same_split": True}
        self.model = PixelPolicy(runtime.model, self._head(self.settings), self.settings.blocks)

    def _head(self, settings: FineTuning) -> ScaledPolicy:
        if settings.init_policy == FRESH:
            spec = self.encoder.spec
            scale = self._token_scale()
            return untrained_policy(self.method, self.config, self.data, spec.grid, spec.channels, scale)
        task, dropout = self.data.task, self.recipe.dropout
        head, meta = load_head(settings.init_policy, self.method, task, self.encoder, dropout)
        learned, config = meta.get("training", {}), self.config
        same = (learned.get("data"), learned.get("seed"), learned.get("validation_fraction")) == (
            self.data.content_hash,
            config.seed,
            config.validation_fraction,
        )
        self._start = {"policy": meta["policy_id"], "same_split": same}
        return head

    def _token_scale(self) -> Scale:
        data = self.data.training
        samples = np.unique(np.linspace(0, len(data) - 1, _SCALE_FRAMES).round().astype(int))
        batches = (samples[start : start + _BATCH] for start in range(0, len(samples), _BATCH))
        return scale_of((self.encoder.encode(data.observed(batch)) for batch in batches), TOKEN_STD_FLOOR)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The encoder's matrices, its other weights, and the policy."""
        return parameter_groups(self.model, self.recipe.weight_decay, self.settings.learning_rate_factor)

    def loss(self, batch: np.ndarray, random: np.random.Generator) -> torch.Tensor:
        """Loss on the frames of sample indices (B,)."""
        data, head = self.data.training, self.model.head
        frames = data.observed(batch)
        if self.recipe.augmentation:
            frames = np.stack([self.recipe.augmentation.apply(frame, random) for frame in frames])
        images = torch.from_numpy(self.preprocessing.apply(frames)).to(self.config.device)
        tokens = self.model.tokens(images, self.settings.precision == "bf16")
        joints, targets, mask = targets_of(head, data, batch)
        tokens, joints = disturb(*head.normalise_inputs(tokens, joints), self.recipe)
        return self.method.loss(head, tokens, joints, targets, mask, self.recipe)

    def evaluate(self, average: PixelPolicy) -> dict[str, float]:
        """Errors on held-out steps, all or `VALIDATION_STEPS` of them, in float32."""
        data: Demonstrations = self.data.held_out
        head = average.head
        last = len(data) - 1
        samples = np.unique(np.linspace(0, last, min(len(data), VALIDATION_STEPS)).round().astype(int))

        def judge(batch: np.ndarray) -> Judged:
            joints, targets, mask = targets_of(head, data, batch)
            images = torch.from_numpy(self.preprocessing.apply(data.observed(batch)))
            tokens = average.tokens(images.to(self.config.device))
            return (
                *self.method.judge(head, *head.normalise_inputs(tokens, joints), targets, mask),
                targets,
                mask,
            )

        return evaluate(judge, samples, head, self.data.task.action_space, _BATCH)

    def identity(self) -> dict[str, Any]:
        """How the encoder learns and where the policy starts."""
        return {"finetuning": self.settings.to_dict(), "started_from": self._start}

    def export(self, average: PixelPolicy, description: dict[str, Any]) -> None:
        """Write the policy's folder with the encoder in it."""
        data = self.data.held_out
        samples = np.unique(np.linspace(0, len(data) - 1, _BATCH).round().astype(int))
        frames, joints = data.observed(samples), data.joints[samples]
        export_finetuned(self.config.out, self.method, average, self.encoder, description, frames, joints)
