"""Feature translators: from Theia's 14x14 tokens to a teacher's feature map (paper, Table 4).

Each head first grows the grid to 16x16 with a transposed convolution (`pad`), then maps it to the teacher's
grid (`adapter`) and width. The layout for 64x64 is the one of the released weights; the paper's table as
printed would give 56x56. Other grids take the nearest layout and an exact bilinear resample before the last
layer.
"""

from collections.abc import Mapping

import torch
from torch import nn

from theia_core.encoders.feature_size import FeatureSize
from theia_core.errors import TheiaError

GRID = 14
PADDED = 16


class TokensToMap(nn.Module):
    """(B, 196, d) to (B, d, 14, 14)."""

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map of tokens that lie row by row."""
        return tokens.transpose(1, 2).unflatten(2, (GRID, GRID))


class MapToTokens(nn.Module):
    """(B, d, h, w) to (B, H*W, d), resampled where the grids differ."""

    def __init__(self, size: tuple[int, int]) -> None:
        """Aim at `size`, (H, W)."""
        super().__init__()
        self.size = size

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Tokens row by row."""
        if tuple(maps.shape[2:]) != self.size:
            shrinks = maps.shape[2] > self.size[0] or maps.shape[3] > self.size[1]
            # torch has no antialiased resampling in bfloat16 on a CPU
            maps = nn.functional.interpolate(
                maps.float(), size=self.size, mode="bilinear", align_corners=False, antialias=shrinks
            )
        return maps.flatten(2).transpose(1, 2)


class TranslatorHead(nn.Module):
    """Head for one teacher."""

    def __init__(self, width: int, target: FeatureSize) -> None:
        """Build the layers.

        Args:
            width: channels d of Theia's tokens.
            target: shape of the teacher's features.
        """
        super().__init__()
        self.pad = nn.Sequential(TokensToMap(), nn.ConvTranspose2d(width, width, 3))
        side = max(target.height, target.width)
        stages: list[tuple[nn.Module, int]]
        if side <= 20:
            stages = [
                (nn.Conv2d(width, width, 3, padding=1), 16),
                (nn.Conv2d(width, width, 3, padding=1), 16),
            ]
        elif side <= 40:
            stages = [
                (nn.ConvTranspose2d(width, width, 3, stride=2, padding=1), 31),
                (nn.Conv2d(width, width, 3, padding=1), 31),
            ]
        else:
            stages = [
                (nn.ConvTranspose2d(width, width, 3, stride=2, padding=1), 31),
                (nn.ConvTranspose2d(width, width, 3, stride=2, output_padding=1), 64),
            ]
        layers: list[nn.Module] = [nn.LayerNorm((width, PADDED, PADDED))]
        for convolution, grid in stages:
            layers += [convolution, nn.ReLU(), nn.LayerNorm((width, grid, grid))]
        layers += [MapToTokens((target.height, target.width)), nn.Linear(width, target.channels)]
        self.adapter = nn.Sequential(*layers)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Predicted features (B, H*W, C), row by row, of spatial tokens (B, 196, d)."""
        features: torch.Tensor = self.adapter(self.pad(tokens))
        return features


class LinearHead(nn.Module):
    """Head without convolutions, the ablation of Table 6a: resample the tokens, then one linear layer."""

    def __init__(self, width: int, target: FeatureSize) -> None:
        """Build the layer for tokens of `width` channels."""
        super().__init__()
        resample = MapToTokens((target.height, target.width))
        self.adapter = nn.Sequential(TokensToMap(), resample, nn.Linear(width, target.channels))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Predicted features (B, H*W, C), row by row, of spatial tokens (B, 196, d)."""
        features: torch.Tensor = self.adapter(tokens)
        return features


class SubPixelHead(nn.Module):
    """One linear layer from each token to the k x k cells of the teacher's map under it (Shi et al. 2016).

    Without convolutions or hidden layers the tokens themselves must hold the features, which is what a
    policy's small neck can use; a short run otherwise teaches the translator more than the backbone. Grids
    that are no multiple of 14x14 are resampled first, as in `LinearHead`.
    """

    def __init__(self, width: int, target: FeatureSize) -> None:
        """Build the layer for tokens of `width` channels."""
        super().__init__()
        cells = target.height // GRID
        self.cells = cells if (target.height, target.width) == (cells * GRID, cells * GRID) else 1
        resample = MapToTokens((target.height // self.cells, target.width // self.cells))
        self.adapter = nn.Sequential(
            TokensToMap(), resample, nn.Linear(width, target.channels * self.cells**2)
        )

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Predicted features (B, H*W, C), row by row, of spatial tokens (B, 196, d)."""
        features: torch.Tensor = self.adapter(tokens)
        if self.cells > 1:
            maps = features.transpose(1, 2).unflatten(2, (GRID, GRID))
            features = nn.functional.pixel_shuffle(maps, self.cells).flatten(2).transpose(1, 2)
        return features


HEADS: dict[str, type[TranslatorHead] | type[LinearHead] | type[SubPixelHead]] = {
    "lconv": TranslatorHead,
    "linear": LinearHead,
    "sub_pixel": SubPixelHead,
}


class Translator(nn.Module):
    """One head per teacher, under the teacher's name."""

    def __init__(self, width: int, targets: Mapping[str, FeatureSize], kind: str = "lconv") -> None:
        """Build a head of `kind`, one of `HEADS`, for each teacher of `targets`."""
        super().__init__()
        head = HEADS[kind]
        self.translator_heads = nn.ModuleDict(
            {teacher: head(width, target) for teacher, target in targets.items()}
        )

    def forward(self, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predicted features (B, H*W, C) of each teacher for spatial tokens (B, 196, d).

        Raises:
            TheiaError: if the tokens are not of the native 14x14 grid.
        """
        if tokens.shape[1] != GRID * GRID:
            raise TheiaError(
                f"translators take the {GRID}x{GRID} tokens of a 224x224 input, not {tokens.shape[1]} "
                "tokens; use the native resolution"
            )
        return {teacher: head(tokens) for teacher, head in self.translator_heads.items()}
