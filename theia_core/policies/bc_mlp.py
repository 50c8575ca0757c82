"""The behaviour-cloning policy in torch: a convolutional neck on spatial tokens, then an MLP with the joints.

Source: paper, Table 9. This module needs torch and is for training and export; the
robot runs the exported graph through `theia_core.policies.load_policy`.
"""

import torch
from torch import nn

from theia_core.policies.config import PolicyConfig
from theia_core.policies.neck import Neck, ScaledPolicy
from theia_core.policies.normalisation import Scale


class BcMlp(ScaledPolicy):
    """Tokens and joint state to a chunk of actions."""

    def __init__(self, config: PolicyConfig, tokens: Scale, joints: Scale, actions: Scale) -> None:
        """Build an untrained policy of these sizes and scales."""
        super().__init__(tokens, joints, actions)
        self.config = config
        self.neck = Neck(config)
        hidden = config.hidden
        self.mlp = nn.Sequential(
            nn.Linear(config.neck_features + config.joints, hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(hidden, config.horizon * config.action_dim),
        )

    def chunk(self, tokens: torch.Tensor, joints: torch.Tensor) -> torch.Tensor:
        """Normalised actions (B, H, D) of normalised inputs: what the loss compares."""
        flat: torch.Tensor = self.mlp(torch.cat([self.neck(tokens), joints], dim=1))
        return flat.unflatten(1, (self.config.horizon, self.config.action_dim))

    def forward(self, tokens: torch.Tensor, joints: torch.Tensor) -> torch.Tensor:
        """Actions in physical units.

        Args:
            tokens: (B, h*w, d) float32 as the encoder gives them.
            joints: (B, 7) float32, six joints [rad] and the left finger [m].

        Returns:
            (B, H, D) float32.
        """
        return self.chunk(*self.normalise_inputs(tokens, joints)) * self.action_std + self.action_mean
