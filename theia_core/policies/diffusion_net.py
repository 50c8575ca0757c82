"""The diffusion policy in torch: what it sees becomes a vector, under which a denoiser cleans a chunk.

Source: paper, section 4.3 and Table 10 (a diffusion policy conditioned on the encoded image). This module
needs torch and is for training and export; the robot runs the two exported graphs through
`theia_core.policies.load_policy`.
"""

import math

import torch
from torch import nn

from theia_core.policies.config import DiffusionConfig
from theia_core.policies.neck import Neck, ScaledPolicy
from theia_core.policies.normalisation import Scale

_FREQUENCIES = 32
_LONGEST_PERIOD = 1000.0


class DiffusionNet(ScaledPolicy):
    """Tokens and robot state to a context, and the denoiser of a chunk under that context."""

    def __init__(self, config: DiffusionConfig, tokens: Scale, joints: Scale, actions: Scale) -> None:
        """Build an untrained policy of these sizes and scales."""
        super().__init__(tokens, joints, actions)
        self.config = config
        self.neck = Neck(config)
        self.context = nn.Sequential(
            nn.Linear(config.neck_features + config.joints, config.width),
            nn.SiLU(),
            nn.Linear(config.width, config.width),
        )
        self.denoiser = Denoiser(config)
        if self.denoiser.base is not None:
            # What the state says, in the scale of actions; learning begins there and may leave it.
            places = list(config.base)
            weight = torch.zeros(config.action_dim, config.joints)
            weight[range(config.action_dim), places] = self.joint_std[places] / self.action_std
            with torch.no_grad():
                self.denoiser.base.weight.copy_(weight)
                self.denoiser.base.bias.copy_((self.joint_mean[places] - self.action_mean) / self.action_std)

    def see(self, tokens: torch.Tensor, joints: torch.Tensor) -> torch.Tensor:
        """Context (B, width + J) of normalised tokens (B, h*w, d) and joints (B, J), which are in it."""
        context: torch.Tensor = self.context(torch.cat([self.neck(tokens), joints], dim=1))
        return torch.cat([context, joints], dim=1)

    def forward(self, tokens: torch.Tensor, joints: torch.Tensor) -> torch.Tensor:
        """Context (B, width + J) of what was measured.

        Args:
            tokens: (B, h*w, d) float32 as the encoder gives them.
            joints: (B, J) float32, the robot's state.
        """
        return self.see(*self.normalise_inputs(tokens, joints))


class Denoiser(nn.Module):
    """Residual MLP on a whole chunk; context and noise level scale and shift each block (FiLM)."""

    frequencies: torch.Tensor

    def __init__(self, config: DiffusionConfig) -> None:
        """Build the layers."""
        super().__init__()
        self.shape = (config.horizon, config.action_dim)
        values, width = config.horizon * config.action_dim, config.width
        steps = torch.arange(_FREQUENCIES) / _FREQUENCIES
        self.register_buffer("frequencies", torch.exp(-math.log(_LONGEST_PERIOD) * steps), persistent=False)
        self.level = nn.Sequential(
            nn.Linear(2 * _FREQUENCIES, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )
        self.enter = nn.Linear(values, width)
        self.blocks = nn.ModuleList(_Block(width, config.dropout) for _ in range(config.blocks))
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, values))
        self.width = width
        self.base = nn.Linear(config.joints, config.action_dim) if config.base else None

    def forward(self, noisy: torch.Tensor, level: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        """What a noisy chunk says, as the config's `noise.prediction`.

        Args:
            noisy: (B, H, D) normalised actions under noise.
            level: (B,) float32, noise levels from 0.
            context: (B, width + J).

        Returns:
            (B, H, D).
        """
        angles = level[:, None] * self.frequencies
        condition = context[:, : self.width] + self.level(torch.cat([angles.cos(), angles.sin()], dim=1))
        hidden = self.enter(noisy.flatten(1))
        for block in self.blocks:
            hidden = block(hidden, condition)
        said: torch.Tensor = self.leave(hidden).unflatten(1, self.shape)
        return said if self.base is None else said + self.base(context[:, self.width :])[:, None]


class _Block(nn.Module):
    """Normalise, scale and shift by the condition, two layers, add."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.film = nn.Linear(width, 2 * width)
        self.layers = nn.Sequential(
            nn.Linear(width, 2 * width), nn.SiLU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )

    def forward(self, hidden: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        scale, shift = self.film(condition).chunk(2, dim=1)
        out: torch.Tensor = hidden + self.layers(self.norm(hidden) * (1 + scale) + shift)
        return out
