"""The Vision Transformer behind Theia: DeiT's layout with pre-norm blocks and separate query, key and value.

Module names give the state-dict keys of the released checkpoints (`embeddings.cls_token`,
`encoder.layer.0.attention.attention.query.weight`, ...). Source of the sizes: paper, section 3 and Table 3b.
"""

from dataclasses import dataclass

import torch
from torch import nn

from theia_core.errors import TheiaError

LAYERS = 12
PATCH = 16
LAYER_NORM_EPS = 1e-12


def check_resolution(height: int, width: int) -> None:
    """Make sure that an input of this many pixels is made of whole patches.

    Raises:
        TheiaError: if a side is not a multiple of 16.
    """
    if height < PATCH or width < PATCH or height % PATCH or width % PATCH:
        raise TheiaError(
            f"an input of {height}x{width} pixels does not divide into patches; use multiples of {PATCH}"
        )


@dataclass(frozen=True)
class VitConfig:
    """Sizes of a backbone.

    Attributes:
        width: channels d of a token.
        heads: attention heads.
        mlp: hidden width of a block's MLP.
        registers: register tokens besides CLS; they have their own position embeddings.
        image_size: side of the native input in pixels.
    """

    width: int
    heads: int
    mlp: int
    registers: int = 0
    image_size: int = 224

    def __post_init__(self) -> None:
        """Refuse sizes from which no network can be built."""
        if self.width < 1 or self.heads < 1 or self.width % self.heads or self.mlp < 1 or self.registers < 0:
            raise TheiaError(
                f"{self} cannot be built: the width must be a multiple of the heads, all positive"
            )
        check_resolution(self.image_size, self.image_size)

    @property
    def grid(self) -> int:
        """Side of the native token grid, 14 at 224 pixels."""
        return self.image_size // PATCH

    @property
    def special_tokens(self) -> int:
        """CLS and registers, which precede the spatial tokens."""
        return 1 + self.registers


SIZES = {
    "tiny": VitConfig(192, 3, 768),
    "small": VitConfig(384, 6, 1536),
    "base": VitConfig(768, 12, 3072),
}


class PatchEmbeddings(nn.Module):
    """One linear projection of each 16x16 patch."""

    def __init__(self, config: VitConfig) -> None:
        """Build the projection."""
        super().__init__()
        self.projection = nn.Conv2d(3, config.width, PATCH, PATCH)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Patches (B, h*w, d), row by row, of images (B, 3, 16h, 16w)."""
        maps: torch.Tensor = self.projection(images)
        return maps.flatten(2).transpose(1, 2)


class Embeddings(nn.Module):
    """CLS, registers and patches with their position embeddings."""

    def __init__(self, config: VitConfig) -> None:
        """Build the embeddings of the native grid."""
        super().__init__()
        self.config = config
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.width))
        self.position_embeddings = nn.Parameter(torch.zeros(1, 1 + config.grid**2, config.width))
        self.patch_embeddings = PatchEmbeddings(config)
        if config.registers:
            self.register_tokens = nn.Parameter(torch.zeros(1, config.registers, config.width))
            self.register_position_embeddings = nn.Parameter(torch.zeros(1, config.registers, config.width))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Tokens (B, 1 + R + h*w, d) of images (B, 3, 16h, 16w)."""
        height, width = images.shape[2] // PATCH, images.shape[3] // PATCH
        special = [self.cls_token + self.position_embeddings[:, :1]]
        if self.config.registers:
            special.append(self.register_tokens + self.register_position_embeddings)
        patches = self.patch_embeddings(images) + self._positions(height, width)
        # Not len(images): torch.export would take that for a constant.
        batch = images.shape[0]
        return torch.cat([*(token.expand(batch, -1, -1) for token in special), patches], dim=1)

    def _positions(self, height: int, width: int) -> torch.Tensor:
        """Position embeddings (1, h*w, d) of the patches; bicubic between those of the native grid."""
        native = self.config.grid
        positions = self.position_embeddings[:, 1:]
        if (height, width) == (native, native):
            return positions
        maps = positions.transpose(1, 2).unflatten(2, (native, native))  # (1, d, 14, 14)
        maps = nn.functional.interpolate(maps, size=(height, width), mode="bicubic", align_corners=False)
        return maps.flatten(2).transpose(1, 2)


class SelfAttention(nn.Module):
    """Multi-head attention up to its output projection."""

    def __init__(self, config: VitConfig) -> None:
        """Build three separate projections; one fused projection would keep graph compilers from fusing."""
        super().__init__()
        self.heads = config.heads
        self.query = nn.Linear(config.width, config.width)
        self.key = nn.Linear(config.width, config.width)
        self.value = nn.Linear(config.width, config.width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Attended values (B, T, d)."""
        # (B, T, d) -> (B, heads, T, d / heads)
        query, key, value = (
            projection(tokens).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for projection in (self.query, self.key, self.value)
        )
        attended = nn.functional.scaled_dot_product_attention(query, key, value)
        return attended.transpose(1, 2).flatten(2)


class Dense(nn.Module):
    """A linear layer under the key `dense`."""

    def __init__(self, inputs: int, outputs: int) -> None:
        """Build the layer."""
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(..., outputs) of (..., inputs)."""
        projected: torch.Tensor = self.dense(values)
        return projected


class Attention(nn.Module):
    """Multi-head attention with its output projection."""

    def __init__(self, config: VitConfig) -> None:
        """Build both parts."""
        super().__init__()
        self.attention = SelfAttention(config)
        self.output = Dense(config.width, config.width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, T, d) of (B, T, d)."""
        mixed: torch.Tensor = self.output(self.attention(tokens))
        return mixed


class Block(nn.Module):
    """Pre-norm transformer block with exact GELU."""

    def __init__(self, config: VitConfig) -> None:
        """Build attention and MLP."""
        super().__init__()
        self.attention = Attention(config)
        self.intermediate = Dense(config.width, config.mlp)
        self.output = Dense(config.mlp, config.width)
        self.layernorm_before = nn.LayerNorm(config.width, eps=LAYER_NORM_EPS)
        self.layernorm_after = nn.LayerNorm(config.width, eps=LAYER_NORM_EPS)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, T, d) of (B, T, d)."""
        tokens = tokens + self.attention(self.layernorm_before(tokens))
        hidden = nn.functional.gelu(self.intermediate(self.layernorm_after(tokens)))
        mixed: torch.Tensor = tokens + self.output(hidden)
        return mixed


class Blocks(nn.Module):
    """The blocks under the key `layer`."""

    def __init__(self, config: VitConfig) -> None:
        """Build twelve blocks."""
        super().__init__()
        self.layer = nn.ModuleList(Block(config) for _ in range(LAYERS))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, T, d) of (B, T, d)."""
        for block in self.layer:
            tokens = block(tokens)
        return tokens


class Vit(nn.Module):
    """Theia's backbone."""

    def __init__(self, config: VitConfig) -> None:
        """Build an untrained backbone: normal weights of standard deviation 0.02, cut off at two of them."""
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.encoder = Blocks(config)
        self.layernorm = nn.LayerNorm(config.width, eps=LAYER_NORM_EPS)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif "layernorm" not in name:
                nn.init.trunc_normal_(parameter, std=0.02, a=-0.04, b=0.04)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """All tokens of preprocessed images.

        Args:
            images: (B, 3, 16h, 16w) float32.

        Returns:
            (B, 1 + R + h*w, d): CLS, R registers, then spatial tokens row by row, after the final LayerNorm.

        Raises:
            TheiaError: if a side of the images is not a multiple of 16.
        """
        check_resolution(images.shape[2], images.shape[3])
        tokens: torch.Tensor = self.layernorm(self.encoder(self.embeddings(images)))
        return tokens
