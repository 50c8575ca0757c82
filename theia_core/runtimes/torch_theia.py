"""A Theia model on torch."""

import numpy as np
import torch

from theia_core.encoders.theia import TheiaModel
from theia_core.errors import TheiaError


class TheiaTorchRuntime:
    """Backbone and translators of a Theia model, on the CPU or a GPU that torch sees.

    Attributes:
        model: the network, in eval mode.
        teachers: names of the teachers that `translate` predicts.
    """

    precision = "fp32"
    largest_batch = 16
    patch: int | None = 16
    frame_size: tuple[int, int] | None = None

    def __init__(self, model: TheiaModel, threads: int = 2, device: str = "cpu") -> None:
        """Take over a model in eval mode.

        Args:
            model: loaded model.
            threads: CPU threads; torch has one setting for the whole process.
            device: torch device.

        Raises:
            TheiaError: if torch sees no such device.
        """
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise TheiaError(
                f"torch {torch.__version__} sees no GPU here; install its CUDA build and a driver, or ask "
                "for the runtime 'torch'"
            )
        torch.set_num_threads(threads)
        self.name = "torch" if device == "cpu" else f"torch-{device}"
        self.model = model.to(device).eval()
        self._device = device
        self.teachers = tuple(model.variant.targets)

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """All tokens (B, 1 + R + h*w, d) float32 of images (B, 3, 16h, 16w) float32."""
        with torch.inference_mode():
            tokens = self.model(torch.from_numpy(inputs).to(self._device))
        return np.asarray(tokens.cpu().numpy())

    def describe(self) -> dict[str, str]:
        """What a parity certificate is valid for."""
        device = "cpu" if self._device == "cpu" else torch.cuda.get_device_name(self._device)
        return {
            "runtime": self.name,
            "version": torch.__version__,
            "provider": self._device,
            "device": device,
        }

    def translate(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Predicted features (B, H*W, C) float32 of each teacher for images (B, 3, 224, 224) float32."""
        with torch.inference_mode():
            predictions = self.model.translate(torch.from_numpy(images).to(self._device))
        return {teacher: features.cpu().numpy() for teacher, features in predictions.items()}
