"""A teacher that is a torch module."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from theia_training.teachers.teacher import Teacher, TeacherOutput, TeacherSpec, tokens_to_output

if TYPE_CHECKING:
    import onnx


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
    ) -> None:
        """Take a module; arguments as for `OnnxTeacher`."""
        torch.set_num_threads(threads)
        self.spec, self.weights_sha256, self.special_tokens = spec, weights_sha256, special_tokens
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network.eval().requires_grad_(False).to(self.device)

    def _forward(self, images: np.ndarray) -> TeacherOutput:
        with torch.inference_mode():
            output = self.network(torch.from_numpy(images).to(self.device)).float().cpu().numpy()
        output = np.ascontiguousarray(output)
        if output.ndim == 3:
            return tokens_to_output(output, self.spec.size, self.special_tokens, self.spec.has_cls)
        return TeacherOutput(output)

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
