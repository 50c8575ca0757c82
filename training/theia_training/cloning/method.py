"""What the trainer must know of a kind of policy: its network, its loss, its predictions and its graphs."""

from pathlib import Path
from typing import Any, Protocol

import torch

from theia_core.errors import TheiaError
from theia_core.policies.artefact import BC_MLP, DIFFUSION
from theia_core.policies.config import TokenConfig
from theia_core.policies.neck import ScaledPolicy
from theia_core.policies.normalisation import Scale
from theia_core.tasks import Task
from theia_training.cloning.recipes import Recipe


class Method(Protocol):
    """One kind of policy in training; stateless."""

    kind: str
    suffix: str
    loss_name: str

    def config(self, task: Task, sizes: dict[str, Any], dropout: float) -> TokenConfig:
        """Sizes of a new network for a task, from those that data and encoder fix."""
        ...

    def network(self, config: Any, tokens: Scale, joints: Scale, actions: Scale) -> ScaledPolicy:
        """An untrained network."""
        ...

    def loss(
        self,
        head: Any,
        tokens: torch.Tensor,
        joints: torch.Tensor,
        targets: torch.Tensor,
        mask: torch.Tensor,
        recipe: Recipe,
    ) -> torch.Tensor:
        """Loss of normalised inputs and targets (B, H, D) where the mask (B, H) is True."""
        ...

    def judge(
        self,
        head: Any,
        tokens: torch.Tensor,
        joints: torch.Tensor,
        targets: torch.Tensor,
        mask: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss on held-out steps and normalised predictions (B, H, D); a function of its arguments alone."""
        ...

    def act(self, head: Any, tokens: torch.Tensor, joints: torch.Tensor) -> torch.Tensor:
        """Actions (B, H, D) of unscaled inputs: what the robot's runtime predicts after `reset(0)`."""
        ...

    def write_graphs(self, folder: Path, head: Any, name: str) -> None:
        """Write the graphs and weights that the robot loads; `name` is the policy's."""
        ...


def method_of(kind: str) -> Method:
    """The method that trains policies of a kind.

    Raises:
        TheiaError: if there is none.
    """
    if kind == BC_MLP:
        from theia_training.cloning.bc_method import BcMethod

        return BcMethod()
    if kind == DIFFUSION:
        from theia_training.cloning.diffusion_method import DiffusionMethod

        return DiffusionMethod()
    raise TheiaError(f"nothing trains policies of the kind {kind!r}; known: {BC_MLP}, {DIFFUSION}")
