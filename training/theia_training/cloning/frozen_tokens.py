"""Training on a frozen encoder: the policy learns from tokens that were computed once."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from theia_core.encoders import load_encoder
from theia_core.encoders.registry import runs_on_torch
from theia_core.policies.artefact import OWN_ENCODER
from theia_core.policies.neck import ScaledPolicy
from theia_core.policies.normalisation import STATE_STD_FLOOR, Scale, action_scale, scale_of
from theia_core.tasks import get_task
from theia_training.cloning.config import TrainConfig
from theia_training.cloning.demonstrations import Demonstrations
from theia_training.cloning.episode_cache import Read
from theia_training.cloning.export_policy import export_policy
from theia_training.cloning.learner import SplitData, episode_paths
from theia_training.cloning.method import Method, method_of
from theia_training.cloning.objective import Judged, disturb, evaluate, targets_of
from theia_training.cloning.token_cache import TokenCache

TOKEN_STD_FLOOR = 1e-3


class FrozenTokens:
    """The learner of a frozen encoder; see `theia_training.cloning.learner.Learner`."""

    def __init__(self, config: TrainConfig, read: Read) -> None:
        """Load the encoder, compute tokens that no cache holds, and build an untrained policy.

        Raises:
            TheiaError: if encoder or data do not fit.
        """
        self.config, self.recipe = config, config.recipe
        # On the CPU the robot's own runtime encodes, and tokens equal the robot's to the bit.
        torch_runs = config.device != "cpu" and runs_on_torch(config.encoder)
        runtime = config.encoder_runtime if torch_runs else "auto"
        self.encoder = load_encoder(config.encoder, runtime, threads=config.threads)
        task = get_task(config.task)
        self.method = method_of(task.policy_kind)
        cache = TokenCache(
            config.cache_folder,
            self.encoder,
            task.control_rate_hz,
            read,
            config.recipe.augmentation,
            config.recipe.variants,
            config.threads,
        )
        self.data = SplitData(config, cache.episodes(episode_paths(config), config.progress))
        torch.manual_seed(config.seed)
        tokens = scale_of((episode.observed[::4] for episode in self.data.episodes), TOKEN_STD_FLOOR)
        spec = self.encoder.spec
        self.model = untrained_policy(self.method, config, self.data, spec.grid, spec.channels, tokens)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """One group."""
        decay = self.recipe.weight_decay
        return [{"params": list(self.model.parameters()), "weight_decay": decay, "scale": 1.0}]

    def loss(self, batch: np.ndarray, random: np.random.Generator) -> torch.Tensor:
        """Loss on sample indices (B,), each of them one of its variants."""
        data, variants = self.data.training, None
        if data.variants:
            variants = random.integers(0, data.variants, len(batch), endpoint=True)
        joints, targets, mask = targets_of(self.model, data, batch)
        tokens = torch.from_numpy(data.observed(batch, variants)).to(joints.device).float()
        tokens, joints = disturb(*self.model.normalise_inputs(tokens, joints), self.recipe)
        return self.method.loss(self.model, tokens, joints, targets, mask, self.recipe)

    def evaluate(self, average: ScaledPolicy) -> dict[str, float]:
        """Errors on all held-out steps."""
        data: Demonstrations = self.data.held_out

        def judge(batch: np.ndarray) -> Judged:
            joints, targets, mask = targets_of(average, data, batch)
            tokens = torch.from_numpy(data.observed(batch)).to(joints.device).float()
            inputs = average.normalise_inputs(tokens, joints)
            return *self.method.judge(average, *inputs, targets, mask), targets, mask

        return evaluate(judge, np.arange(len(data)), average, self.data.task.action_space)

    def identity(self) -> dict[str, Any]:
        """Nothing beyond data, encoder and recipe."""
        return {}

    def export(self, average: Any, description: dict[str, Any]) -> None:
        """Write the policy's folder, with a copy of the encoder where that is a folder of the user's."""
        given = Path(self.config.encoder)
        if brings_own := (given / "encoder.json").is_file():
            shutil.copytree(given, self.config.out / OWN_ENCODER, dirs_exist_ok=True)
        entries = {
            **description,
            "encoder": OWN_ENCODER if brings_own else self.encoder.spec.name,
            "encoder_id": self.encoder.encoder_id,
            "encoder_licence": self.encoder.spec.licence,
            "config": average.config.to_dict(),
        }
        tokens, joints = self.data.training.observed(np.arange(1)), self.data.training.joints[:1]
        export_policy(self.config.out, self.method, average, entries, tokens, joints)


def untrained_policy(
    method: Method, config: TrainConfig, data: SplitData, grid: tuple[int, int], channels: int, tokens: Scale
) -> ScaledPolicy:
    """Policy with random weights and the scales of the training episodes; `tokens` is the tokens' scale."""
    task, first = data.task, data.episodes[0]
    sizes = {
        "grid": grid,
        "channels": channels,
        "joints": first.joints.shape[1],
        "horizon": task.chunk_horizon,
        "action_dim": first.actions.shape[1],
    }
    joints = scale_of((episode.joints for episode in data.episodes), STATE_STD_FLOOR[task.robot])
    # Steps at which nothing was executed hold no action to take the scale of.
    actions = action_scale((episode.actions[~episode.held] for episode in data.episodes), task.action_space)
    return method.network(method.config(task, sizes, config.recipe.dropout), tokens, joints, actions)
