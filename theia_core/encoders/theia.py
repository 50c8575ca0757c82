"""The Theia model as released: backbone and feature translators under one state dict."""

from dataclasses import replace

import torch
from torch import nn

from theia_core.encoders.theia_variants import TheiaVariant
from theia_core.encoders.translators import Translator
from theia_core.encoders.vit import SIZES, Vit


class Backbone(nn.Module):
    """The ViT under the key `model`."""

    def __init__(self, model: Vit) -> None:
        """Hold `model`."""
        super().__init__()
        self.model = model


class TheiaModel(nn.Module):
    """Backbone and translators of one variant; state-dict keys are those of the released checkpoints."""

    def __init__(self, variant: TheiaVariant) -> None:
        """Build an untrained model."""
        super().__init__()
        config = replace(SIZES[variant.size], registers=variant.registers)
        self.variant = variant
        self.backbone = Backbone(Vit(config))
        if variant.targets:
            self.translator = Translator(config.width, variant.targets, variant.translator)

    @property
    def special_tokens(self) -> int:
        """CLS and registers, which precede the spatial tokens."""
        return self.backbone.model.config.special_tokens

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """All tokens (B, 1 + R + h*w, d) of images (B, 3, 16h, 16w); spatial tokens come last."""
        tokens: torch.Tensor = self.backbone.model(images)
        return tokens

    def translate(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predicted features (B, H*W, C) of each teacher for images (B, 3, 224, 224)."""
        if not self.variant.targets:
            return {}
        predictions: dict[str, torch.Tensor] = self.translator(self(images)[:, self.special_tokens :])
        return predictions
