"""onnxruntime on a GPU, through CUDA or TensorRT, with inputs and outputs that stay where they are.

The frame is copied once, from where the caller has it into the buffer that the graph reads; the graph writes
its tokens into a buffer that is made once.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from theia_core.cache import cache_folder
from theia_core.runtimes.gpu import gpu_name
from theia_core.runtimes.onnx_session import CPU, CUDA, TENSORRT, OnnxSession, describe_session

_DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class OnnxGpuRuntime:
    """An encoder's graph on one of onnxruntime's GPU providers."""

    patch: int | None = None

    def __init__(
        self,
        graph_path: Path,
        provider: str,
        *,
        precision: str = "fp32",
        frame_size: tuple[int, int] | None = None,
        largest_batch: int = 8,
    ) -> None:
        """Load the graph; errors as for `OnnxSession`.

        Args:
            graph_path: `.onnx` file.
            provider: `CUDA` or `TENSORRT`; `CPU` works too, which is how this is tested without a GPU.
            precision: what the graph computes in.
            frame_size: (H, W) of the raw frames that the graph takes, None if it takes images.
            largest_batch: images to run at once.
        """
        options: dict[str, Any] = {}
        if provider == TENSORRT:
            # onnxruntime keys the cache by graph, TensorRT and GPU itself.
            cache = cache_folder("onnxruntime-tensorrt")
            cache.mkdir(parents=True, exist_ok=True)
            options = {"trt_engine_cache_enable": True, "trt_engine_cache_path": str(cache)}
        self._session = OnnxSession(graph_path, 1, provider, options).session
        self._provider, self._device = provider, "cpu" if provider == CPU else "cuda"
        self.name = {CUDA: "onnxruntime-cuda", TENSORRT: "onnxruntime-tensorrt"}.get(provider, "onnxruntime")
        self.precision, self.frame_size, self.largest_batch = precision, frame_size, largest_batch
        self._shape: tuple[int, ...] = ()

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """All tokens (B, T, d) of images (B, 3, S, S) float32 or raw frames (B, H, W, 3) uint8."""
        if inputs.shape != self._shape:
            self._bind(inputs)
        self._input.update_inplace(np.ascontiguousarray(inputs))
        self._session.run_with_iobinding(self._binding)
        tokens: np.ndarray = self._output.numpy()
        return tokens

    def _bind(self, inputs: np.ndarray) -> None:
        """Make buffers for a batch of this shape, and let the graph read from and write into them."""
        value = onnxruntime.OrtValue
        source, target = self._session.get_inputs()[0], self._session.get_outputs()[0]
        self._binding = self._session.io_binding()
        self._input = value.ortvalue_from_shape_and_type(list(inputs.shape), inputs.dtype, self._device, 0)
        self._binding.bind_ortvalue_input(source.name, self._input)
        # The first run tells how large the tokens are, the others write into a buffer of that size.
        self._binding.bind_output(target.name, self._device, 0)
        self._session.run_with_iobinding(self._binding)
        shape = self._binding.get_outputs()[0].shape()
        self._output = value.ortvalue_from_shape_and_type(shape, _DTYPES[target.type], self._device, 0)
        self._binding.bind_ortvalue_output(target.name, self._output)
        self._shape = inputs.shape

    def describe(self) -> dict[str, str]:
        """What a parity certificate is valid for."""
        device = "cpu" if self._device == "cpu" else gpu_name() or "an unknown GPU"
        return describe_session(self.name, self._provider, device)
