"""Behaviour cloning by regression: an MLP, smooth L1 (paper, Table 9)."""

from pathlib import Path
from typing import Any

import torch

from theia_core.policies.artefact import BC_MLP, GRAPH, WEIGHTS
from theia_core.policies.bc_mlp import BcMlp
from theia_core.policies.config import PolicyConfig
from theia_core.policies.normalisation import Scale
from theia_core.runtimes.safetensors_graph import write_graph_over_safetensors
from theia_core.tasks import Task
from theia_training.cloning.objective import chunk_loss
from theia_training.cloning.recipes import Recipe
from theia_training.onnx_graph import to_onnx


class BcMethod:
    """Trains `bc_mlp` policies; see `theia_training.cloning.method.Method`."""

    kind = BC_MLP
    suffix = "bc"
    loss_name = "smooth L1 of scaled actions"

    def config(self, task: Task, sizes: dict[str, Any], dropout: float) -> PolicyConfig:
        """Sizes of a new network."""
        return PolicyConfig(**sizes, dropout=dropout)

    def network(self, config: PolicyConfig, tokens: Scale, joints: Scale, actions: Scale) -> BcMlp:
        """An untrained network."""
        return BcMlp(config, tokens, joints, actions)

    def loss(
        self,
        head: BcMlp,
        tokens: torch.Tensor,
        joints: torch.Tensor,
        targets: torch.Tensor,
        mask: torch.Tensor,
        recipe: Recipe,
    ) -> torch.Tensor:
        """Smooth L1 of the predicted chunk."""
        return chunk_loss(head.chunk(tokens, joints), targets, mask, recipe.gripper_weight)

    def judge(
        self,
        head: BcMlp,
        tokens: torch.Tensor,
        joints: torch.Tensor,
        targets: torch.Tensor,
        mask: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Smooth L1 with all actions weighing alike, and the chunk."""
        predicted = head.chunk(tokens, joints)
        return chunk_loss(predicted, targets, mask, 1.0), predicted

    def act(self, head: BcMlp, tokens: torch.Tensor, joints: torch.Tensor) -> torch.Tensor:
        """The predicted chunk."""
        actions: torch.Tensor = head(tokens, joints)
        return actions

    def write_graphs(self, folder: Path, head: BcMlp, name: str) -> None:
        """One graph from observation to actions."""
        height, width = head.config.grid
        examples = (torch.zeros(2, height * width, head.config.channels), torch.zeros(2, head.config.joints))
        graph = to_onnx(head, examples, ("tokens", "joints"), "actions")
        write_graph_over_safetensors(graph, folder / GRAPH, folder / WEIGHTS, {"policy": name})
