"""A teacher that is a torch module."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from torch import nn

from theia_training.teachers.teacher import Teacher, TeacherOutput, TeacherSpec, tokens_to_output

if TYPE_CHECKING:
    import onnx


# Features (B, C, h, w) on the network's device -> pictures as in `Teacher.decode`.
Decoder: TypeAlias = Callable[[torch.Tensor], dict[str, np.ndarray]]


class TorchTeacher(Teacher):
    """Features from a module (b, 3, S, S) -> maps (b, C, h, w) or tokens (b, T, C).

    Runs on the first CUDA device if there is one. On a CPU, `threads` becomes the number of torch's threads
    in this process.
    """

    largest_batch = 8

    def __init__(
        self,
        spec: TeacherSpec,
        network: nn.Module,
        weights_sha256: str,
        threads: int = 2,
        special_tokens: int = 0,
        decoder: Decoder | None = None,
    ) -> None:
        """Take a module.

        Args:
            spec: what it is.
            network: the module; it is put into eval mode.
            weights_sha256: hex sha256 of the file its weights come from.
            threads: CPU threads of torch in this process.
            special_tokens: tokens in front of the spatial ones, if the output is tokens; the first is CLS
                where the spec has one.
            decoder: the remaining layers, which work on modules that `network` holds.
        """
        torch.set_num_threads(threads)
        self.spec, self.weights_sha256, self.special_tokens = spec, weights_sha256, special_tokens
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._decoder = decoder
        self.network = network.eval().requires_grad_(False).to(self.device)

    def _forward(self, images: np.ndarray) -> TeacherOutput:
        with torch.inference_mode():
            output = self.network(torch.from_numpy(images).to(self.device)).float().cpu().numpy()
        output = np.ascontiguousarray(output)
        if output.ndim == 3:
            return tokens_to_output(output, self.spec.size, self.special_tokens, self.spec.has_cls)
        return TeacherOutput(output)

    def decode(self, features: np.ndarray) -> dict[str, np.ndarray] | None:
        """Pictures by the decoder, if there is one."""
        checked = self._check_features(features)
        if self._decoder is None:
            return None
        with torch.inference_mode():
            return self._decoder(torch.from_numpy(checked).to(self.device))

    def token_graph(self) -> "onnx.ModelProto":
        """The network as ONNX, by torch's exporter."""
        from theia_training.onnx_graph import to_onnx

        size = self.spec.preprocessing.size
        network = Tokens(self.network).cpu().eval()
        graph = to_onnx(network, (torch.zeros(2, 3, size, size),), ("images",), "tokens")
        self.network.to(self.device)
        return graph


class Tokens(nn.Module):
    """The same network, whose maps (b, C, h, w) are tokens (b, h*w, C)."""

    def __init__(self, network: nn.Module) -> None:
        """Take a network that gives maps or tokens."""
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Tokens (b, T, C)."""
        features: torch.Tensor = self.network(images)
        return features.flatten(2).transpose(1, 2) if features.ndim == 4 else features
