"""The behaviour-cloning policy in torch: a convolutional neck on spatial tokens, then an MLP with the joints.

Source: paper, Tables 8 (neck) and 9 (policy). This module needs torch and is for training and export; the
robot runs the exported graph through `theia_core.policies.load_policy`.
"""

import torch
from torch import nn

from theia_core.policies.config import NECK_LAYERS, PolicyConfig
from theia_core.policies.normalisation import Scale


class Neck(nn.Module):
    """Compress spatial tokens into one vector with three convolutions."""

    def __init__(self, config: PolicyConfig) -> None:
        """Build the layers for the config's token grid."""
        super().__init__()
        self.grid = config.grid
        width = config.neck_channels
        layers: list[nn.Module] = []
        channels = config.channels
        for (kernel, stride, padding), size in zip(NECK_LAYERS, config.neck_sizes, strict=True):
            layers.append(nn.Conv2d(channels, width, kernel, stride, padding))
            if config.neck_norm:
                layers.append(nn.LayerNorm((width, *size)))
            layers.append(nn.ReLU())
            channels = width
        # The paper's third convolution has no activation behind it.
        self.layers = nn.Sequential(*layers[:-1], nn.Flatten())
        self.features = width * config.neck_sizes[-1][0] * config.neck_sizes[-1][1]

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Features (B, F) of normalised tokens (B, h*w, d)."""
        height, width = self.grid
        # (B, h*w, d) -> (B, d, h, w) without a copy: this is the channels-last layout.
        maps = tokens.unflatten(1, (height, width)).permute(0, 3, 1, 2)
        features: torch.Tensor = self.layers(maps)
        return features


class BcMlp(nn.Module):
    """Tokens and joint state to a chunk of actions; the weights carry their own scale."""

    token_mean: torch.Tensor
    token_std: torch.Tensor
    joint_mean: torch.Tensor
    joint_std: torch.Tensor
    action_mean: torch.Tensor
    action_std: torch.Tensor

    def __init__(self, config: PolicyConfig, tokens: Scale, joints: Scale, actions: Scale) -> None:
        """Build an untrained policy.

        Args:
            config: sizes.
            tokens: scale of a token, (d,).
            joints: scale of the joint state, (7,) [rad], [m].
            actions: scale of an action, (D,).
        """
        super().__init__()
        self.config = config
        for name, scale in (("token", tokens), ("joint", joints), ("action", actions)):
            self.register_buffer(f"{name}_mean", torch.from_numpy(scale.mean.copy()))
            self.register_buffer(f"{name}_std", torch.from_numpy(scale.std.copy()))
        self.neck = Neck(config)
        hidden = config.hidden
        self.mlp = nn.Sequential(
            nn.Linear(self.neck.features + config.joints, hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(hidden, config.horizon * config.action_dim),
        )

    def normalise_inputs(
        self, tokens: torch.Tensor, joints: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens (B, h*w, d) and joints (B, 7) at zero mean and unit variance over the training data."""
        return (tokens - self.token_mean) / self.token_std, (joints - self.joint_mean) / self.joint_std

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
