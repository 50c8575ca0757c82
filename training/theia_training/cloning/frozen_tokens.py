"""Behaviour cloning on a frozen encoder: neck and MLP learn from tokens that were computed once."""

from typing import Any

import numpy as np
import torch

from theia_core.encoders import load_encoder
from theia_core.policies.bc_mlp import BcMlp
from theia_core.policies.config import PolicyConfig
from theia_core.policies.normalisation import JOINT_STD_FLOOR, action_scale, scale_of
from theia_core.tasks import get_task
from theia_training.cloning.config import TrainConfig
from theia_training.cloning.demonstrations import Demonstrations
from theia_training.cloning.episode_cache import Read
from theia_training.cloning.export_policy import export_policy
from theia_training.cloning.learner import SplitData, episode_paths
from theia_training.cloning.objective import chunk_loss, disturb, evaluate, targets_of
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
        self.encoder = load_encoder(config.encoder, threads=config.threads)
        task = get_task(config.task)
        cache = TokenCache(
            config.cache_folder,
            self.encoder,
            task.control_rate_hz,
            read,
            config.recipe.augmentation,
            config.recipe.variants,
        )
        self.data = SplitData(config, cache.episodes(episode_paths(config), config.progress))
        torch.manual_seed(config.seed)
        tokens = scale_of((episode.observed[::4] for episode in self.data.episodes), TOKEN_STD_FLOOR)
        spec = self.encoder.spec
        self.model = untrained_policy(config, self.data, spec.grid, spec.channels, tokens)

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
        tokens = torch.from_numpy(data.observed(batch, variants)).float()
        tokens, joints = disturb(*self.model.normalise_inputs(tokens, joints), self.recipe)
        return chunk_loss(self.model.chunk(tokens, joints), targets, mask, self.recipe.gripper_weight)

    def evaluate(self, average: BcMlp) -> dict[str, float]:
        """Errors on all held-out steps."""
        data: Demonstrations = self.data.held_out

        def predict(batch: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            joints, targets, mask = targets_of(average, data, batch)
            tokens = torch.from_numpy(data.observed(batch)).float()
            return average.chunk(*average.normalise_inputs(tokens, joints)), targets, mask

        return evaluate(predict, np.arange(len(data)), average.action_std)

    def identity(self) -> dict[str, Any]:
        """Nothing beyond data, encoder and recipe."""
        return {}

    def export(self, average: BcMlp, description: dict[str, Any]) -> None:
        """Write the policy's folder."""
        entries = {
            **description,
            "encoder": self.encoder.spec.name,
            "encoder_id": self.encoder.encoder_id,
            "encoder_licence": self.encoder.spec.licence,
            "config": average.config.to_dict(),
        }
        export_policy(self.config.out, average, entries, self.data.training.observed(np.arange(1)))


def untrained_policy(
    config: TrainConfig, data: SplitData, grid: tuple[int, int], channels: int, tokens: Any
) -> BcMlp:
    """Policy with random weights and the scales of the training episodes; `tokens` is the tokens' scale."""
    sizes = PolicyConfig(grid, channels, horizon=data.task.chunk_horizon, dropout=config.recipe.dropout)
    joints = scale_of((episode.joints for episode in data.episodes), JOINT_STD_FLOOR)
    actions = action_scale((episode.actions for episode in data.episodes), data.task.action_space)
    return BcMlp(sizes, tokens, joints, actions)
