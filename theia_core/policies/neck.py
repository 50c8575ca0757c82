"""What the policies share in torch: the convolutional neck on spatial tokens, and the scale of all numbers.

Source: paper, Table 8. This module needs torch and is for training and export.
"""

import torch
from torch import nn

from theia_core.policies.config import NECK_LAYERS, TokenConfig
from theia_core.policies.normalisation import Scale


class Neck(nn.Module):
    """Compress spatial tokens into one vector with three convolutions."""

    def __init__(self, config: TokenConfig) -> None:
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

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Features (B, F) of normalised tokens (B, h*w, d)."""
        height, width = self.grid
        # (B, h*w, d) -> (B, d, h, w) without a copy: this is the channels-last layout.
        maps = tokens.unflatten(1, (height, width)).permute(0, 3, 1, 2)
        features: torch.Tensor = self.layers(maps)
        return features


class ScaledPolicy(nn.Module):
    """Base of the policies' networks; the weights carry the scale of tokens, joints and actions."""

    token_mean: torch.Tensor
    token_std: torch.Tensor
    joint_mean: torch.Tensor
    joint_std: torch.Tensor
    action_mean: torch.Tensor
    action_std: torch.Tensor

    def __init__(self, tokens: Scale, joints: Scale, actions: Scale) -> None:
        """Keep the scales.

        Args:
            tokens: scale of a token, (d,).
            joints: scale of the robot's state, (J,).
            actions: scale of an action, (D,).
        """
        super().__init__()
        for name, scale in (("token", tokens), ("joint", joints), ("action", actions)):
            self.register_buffer(f"{name}_mean", torch.from_numpy(scale.mean.copy()))
            self.register_buffer(f"{name}_std", torch.from_numpy(scale.std.copy()))

    def normalise_inputs(
        self, tokens: torch.Tensor, joints: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens (B, h*w, d) and joints (B, J), each value less its mean, by its scale."""
        return (tokens - self.token_mean) / self.token_std, (joints - self.joint_mean) / self.joint_std

    def normalise_actions(self, actions: torch.Tensor) -> torch.Tensor:
        """Actions (..., D) in physical units as the loss compares them."""
        return (actions - self.action_mean) / self.action_std
