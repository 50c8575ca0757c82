"""What a layer inside a torch module gives out."""

import difflib
from typing import Any

import torch
from torch import nn

from theia_core.errors import TheiaError


class LayerOutput(nn.Module):
    """The same module, but its output is that of one layer inside it."""

    def __init__(self, network: nn.Module, layer: str) -> None:
        """Watch a layer.

        Args:
            network: module whose first argument is the images.
            layer: dotted name of a module inside it, such as "blocks.8".

        Raises:
            TheiaError: if there is no such layer.
        """
        super().__init__()
        layers = dict(network.named_modules())
        if layer not in layers:
            close = difflib.get_close_matches(layer, list(layers), 3, 0.3)
            raise TheiaError(
                f"{type(network).__name__} has no layer {layer!r}; close to it: {', '.join(close) or 'none'}"
            )
        self.network, self.layer = network, layer
        self._seen: torch.Tensor | None = None
        layers[layer].register_forward_hook(self._keep)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Output of the layer for images (b, 3, S, S); of several tensors the first.

        Raises:
            TheiaError: if the layer was not called.
        """
        self._seen = None
        self.network(images)
        seen, self._seen = self._seen, None
        if seen is None:
            raise TheiaError(
                f"{type(self.network).__name__} never calls its layer {self.layer!r}; name another"
            )
        return seen

    def _keep(self, layer: nn.Module, inputs: Any, output: Any) -> None:
        self._seen = first_tensor(output)


def first_tensor(output: Any) -> torch.Tensor:
    """The tensor that a module gave, or the first of several.

    Raises:
        TheiaError: if there is none.
    """
    if isinstance(output, torch.Tensor):
        return output
    values = list(output.values()) if hasattr(output, "values") else output
    if isinstance(values, (list, tuple)):
        for value in values:
            if isinstance(value, torch.Tensor):
                return value
    raise TheiaError(
        f"the network gives a {type(output).__name__} without a tensor; name a layer as its output"
    )
