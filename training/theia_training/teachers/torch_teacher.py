"""A teacher that is a torch module."""

import numpy as np
import torch
from torch import nn

from theia_training.teachers.teacher import Teacher, TeacherOutput, TeacherSpec, tokens_to_output


class TorchTeacher(Teacher):
    """Features from a module (b, 3, S, S) -> maps (b, C, h, w) or tokens (b, T, C).

    Runs on the first CUDA device if there is one. On a CPU, `threads` becomes the number of torch's threads in
    this process.
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
        if output.ndim == 3:
            return tokens_to_output(output, self.spec.size, self.special_tokens, self.spec.has_cls)
        return TeacherOutput(output)
