"""The few calls of the CUDA runtime that an engine needs, through NVIDIA's `cuda-bindings`.

Every name used here is in tests/data/nvidia_names.json, which was read from the wheels of CUDA 12 and 13.
"""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from theia_core.errors import MissingExtraError, TheiaError


class Cuda:
    """One stream on the first GPU, and buffers for it."""

    def __init__(self) -> None:
        """Open the GPU.

        Raises:
            TheiaError: if `cuda-bindings` is not installed, or there is no GPU or driver.
        """
        try:
            from cuda.bindings import runtime
        except ImportError as error:
            raise MissingExtraError("cuda-bindings", "tensorrt") from error
        self._cuda = runtime
        if self._call(runtime.cudaGetDeviceCount) < 1:
            raise TheiaError("CUDA sees no GPU on this machine; run this engine where there is one")
        self.device = self._call(runtime.cudaGetDeviceProperties, 0).name.decode()
        self.stream = self._call(runtime.cudaStreamCreate)

    def pinned(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """An array in page-locked memory, from which the GPU copies by itself."""
        size = int(np.prod(shape)) * dtype.itemsize
        address = int(self._call(self._cuda.cudaMallocHost, size))
        memory = (ctypes.c_uint8 * size).from_address(address)
        return np.frombuffer(memoryview(memory), dtype).reshape(shape)

    def buffer(self, size: int) -> int:
        """Address of so many bytes on the GPU."""
        return int(self._call(self._cuda.cudaMalloc, size))

    def to_gpu(self, address: int, array: np.ndarray) -> None:
        """Queue a copy of a pinned array to the GPU."""
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._call(self._cuda.cudaMemcpyAsync, address, array.ctypes.data, array.nbytes, kind, self.stream)

    def from_gpu(self, array: np.ndarray, address: int) -> None:
        """Queue a copy from the GPU into a pinned array."""
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._call(self._cuda.cudaMemcpyAsync, array.ctypes.data, address, array.nbytes, kind, self.stream)

    def wait(self) -> None:
        """Wait until everything in the stream is done."""
        self._call(self._cuda.cudaStreamSynchronize, self.stream)

    def record(self, work: Callable[[], None]) -> Any:
        """A CUDA graph of what `work` queues in the stream, ready for `replay`."""
        mode = self._cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._call(self._cuda.cudaStreamBeginCapture, self.stream, mode)
        try:
            work()
        finally:
            graph = self._call(self._cuda.cudaStreamEndCapture, self.stream)
        return self._call(self._cuda.cudaGraphInstantiate, graph, 0)

    def replay(self, graph: Any) -> None:
        """Queue a recorded graph."""
        self._call(self._cuda.cudaGraphLaunch, graph, self.stream)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The value of a CUDA call.

        Raises:
            TheiaError: if it fails.
        """
        try:
            error, *values = function(*arguments)
        except RuntimeError as missing:  # cuda-bindings finds no libcudart, or it finds no driver
            raise TheiaError(
                f"CUDA does not work here: {str(missing).splitlines()[0]}; install the NVIDIA driver"
            ) from missing
        if error != self._cuda.cudaError_t.cudaSuccess:
            raise TheiaError(
                f"{function.__name__} failed with {error.name}; look whether this machine has a GPU, its "
                "driver and free memory (nvidia-smi)"
            )
        return values[0] if values else None
