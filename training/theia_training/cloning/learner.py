"""What the loop of behaviour cloning needs to know of what learns.

`frozen_tokens` and `finetune_encoder` are the two learners.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from theia_core.actions.spaces import EE_POSE
from theia_core.encoders import Encoder
from theia_core.episodes import find_episodes
from theia_core.errors import TheiaError
from theia_core.tasks import Task, get_task
from theia_training.cloning.config import TrainConfig
from theia_training.cloning.demonstrations import Demonstrations, split_by_episode
from theia_training.cloning.episode_cache import CachedEpisode
from theia_training.cloning.method import Method


class Learner(Protocol):
    """A policy that learns, with its data.

    Attributes:
        data: demonstrations to learn from and to be judged on.
        encoder: the encoder of the start.
        model: everything that learns, with its normalisation.
        method: the kind of policy.
    """

    method: Method
    data: "SplitData"
    encoder: Encoder
    model: nn.Module

    def parameter_groups(self) -> list[dict[str, Any]]:
        """AdamW's groups; `scale` is the share of the learning rate that a group gets."""
        ...

    def loss(self, batch: np.ndarray, random: np.random.Generator) -> torch.Tensor:
        """Loss of the model on sample indices (B,), disturbed and augmented as the recipe says."""
        ...

    def evaluate(self, average: Any) -> dict[str, float]:
        """Errors of the averaged model on held-out steps."""
        ...

    def identity(self) -> dict[str, Any]:
        """What, beyond data and recipe, must not change between a run and its resumption."""
        ...

    def export(self, average: Any, description: dict[str, Any]) -> None:
        """Write the averaged model as a policy, completing the entries of its policy.json."""
        ...


class SplitData:
    """Demonstrations of a run, split by episode.

    Attributes:
        task: the task.
        episodes: episodes to learn from.
        counts: number of episodes to learn from and held out.
        training: steps to learn from.
        held_out: steps of other episodes.
        content_hash: first 16 hex digits of a hash over all episodes.
    """

    def __init__(self, config: TrainConfig, episodes: list[CachedEpisode]) -> None:
        """Split `episodes`; which are held out depends on their content and the config's seed alone."""
        self.task: Task = get_task(config.task)
        self.episodes, held_out = split_by_episode(episodes, config.validation_fraction, config.seed)
        self.counts = (len(self.episodes), len(held_out))
        horizon, absolute = self.task.chunk_horizon, self.task.action_space == EE_POSE.name
        self.training = Demonstrations(self.episodes, horizon, absolute=absolute)
        self.held_out = Demonstrations(held_out, horizon, absolute=absolute)
        hashes = "".join(sorted(episode.content_hash for episode in episodes))
        self.content_hash = hashlib.sha256(hashes.encode()).hexdigest()[:16]


def episode_paths(config: TrainConfig, find: Callable[[Path], list[Path]] = find_episodes) -> list[Path]:
    """Files of all episodes in the config's folders.

    Raises:
        TheiaError: if there are none.
    """
    paths = [path for folder in config.data for path in find(folder)]
    if not paths:
        folders = ", ".join(str(folder) for folder in config.data)
        raise TheiaError(
            f"no episodes in {folders}; record some with: theia collect {config.task} --out FOLDER"
        )
    return paths
