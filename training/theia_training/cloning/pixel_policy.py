"""Encoder and policy as one network from pixels to actions, for training them together."""

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from theia_core.encoders.theia import TheiaModel
from theia_core.encoders.vit import LAYERS
from theia_core.policies.neck import ScaledPolicy


class PixelPolicy(nn.Module):
    """A Theia backbone whose spatial tokens a policy takes.

    Attributes:
        encoder: backbone without translators, which no longer fit once it learns something else.
        head: the policy on tokens, with the normalisation of tokens, joints and actions.
    """

    def __init__(self, start: TheiaModel, head: ScaledPolicy, blocks: int = LAYERS) -> None:
        """Copy the backbone of `start`.

        Args:
            start: Theia model; it is not changed.
            head: policy for its tokens.
            blocks: the last so many blocks and the final normalisation learn; with all, the embeddings too.
        """
        super().__init__()
        self.encoder = TheiaModel(replace(start.variant, targets={}))
        self.encoder.backbone.load_state_dict(start.backbone.state_dict())
        self.head = head
        vit = self.encoder.backbone.model
        if blocks < LAYERS:
            vit.embeddings.requires_grad_(False)
            vit.encoder.layer[: LAYERS - blocks].requires_grad_(False)

    def tokens(self, images: torch.Tensor, bf16: bool = False) -> torch.Tensor:
        """Spatial tokens (B, h*w, d) float32 of preprocessed images (B, 3, S, S) float32."""
        with torch.autocast(images.device.type, torch.bfloat16, enabled=bf16):
            tokens: torch.Tensor = self.encoder(images)
        return tokens[:, self.encoder.special_tokens :].float()


def parameter_groups(model: PixelPolicy, weight_decay: float, encoder_scale: float) -> list[dict[str, Any]]:
    """AdamW's groups of what learns; `scale` is the share of the learning rate that a group gets.

    Of the encoder, matrices and kernels decay; biases, norms, position embeddings and tokens do not.
    """
    learning = [p for p in model.encoder.parameters() if p.requires_grad]
    groups = [
        {
            "params": [p for p in learning if (p.ndim in (2, 4)) == decays],
            "weight_decay": weight_decay if decays else 0.0,
            "scale": encoder_scale,
        }
        for decays in (True, False)
    ]
    head = {"params": list(model.head.parameters()), "weight_decay": weight_decay, "scale": 1.0}
    return [*groups, head]
