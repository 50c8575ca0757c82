"""An engine on TensorRT 10 or 11, or on TensorRT for RTX, which has the same interface.

A frame's way: one copy into page-locked memory, then one CUDA graph that copies it to the GPU, runs the
network and copies the tokens back into page-locked memory. All buffers are made once.

Every TensorRT name used here and in `theia_deploy.tensorrt_build` is in tests/data/nvidia_names.json, which
was read from the real bindings of versions 10 and 11.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from theia_core.errors import TheiaError
from theia_core.runtimes.cuda import Cuda

MODULES = {"tensorrt": "tensorrt", "tensorrt-rtx": "tensorrt_rtx"}
_INSTALL = {
    "tensorrt": "pip install tensorrt-cu13 (or tensorrt-cu12; it comes with JetPack on a Jetson)",
    "tensorrt-rtx": "pip install 'theia-robotics[tensorrt-rtx]'",
}


def import_tensorrt(kind: str) -> Any:
    """The module for engines of `kind`: "tensorrt" or "tensorrt-rtx".

    Raises:
        TheiaError: if it is not installed.
    """
    try:
        return importlib.import_module(MODULES[kind])
    except (ImportError, OSError) as error:
        raise TheiaError(
            f"{MODULES[kind]} cannot be imported ({str(error).splitlines()[0]}); install it: {_INSTALL[kind]}"
        ) from error


class TensorRtRuntime:
    """A deserialised engine with one execution context and one CUDA graph for each batch size in use."""

    patch: int | None = None

    def __init__(
        self,
        path: Path,
        built_for: Mapping[str, str],
        *,
        name: str = "tensorrt",
        precision: str = "fp16",
        frame_size: tuple[int, int] | None = None,
    ) -> None:
        """Load the engine and make its buffers.

        Args:
            path: the plan.
            built_for: what engine.json says it was built for.
            name: "tensorrt" or "tensorrt-rtx".
            precision: what it computes in.
            frame_size: (H, W) of the raw frames that it takes, None if it takes images.

        Raises:
            TheiaError: if TensorRT, CUDA or a GPU is absent, the engine is for another version or GPU, or is
                damaged.
        """
        trt = import_tensorrt(name)
        self.name, self.precision, self.frame_size = name, precision, frame_size
        self._version = str(trt.__version__)
        if (version := built_for.get("version")) != self._version:
            raise TheiaError(
                f"{path} was built with {MODULES[name]} {version}, this is {self._version}; export it again "
                "on this machine"
            )
        self._cuda = Cuda()
        if (device := built_for.get("device")) and device != self._cuda.device:
            raise TheiaError(
                f"{path} was built for {device}, this is {self._cuda.device}; export it again on this machine"
            )
        # The runtime must outlive the engine.
        self._runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
        self._engine = self._runtime.deserialize_cuda_engine(path.read_bytes())
        if self._engine is None:
            raise TheiaError(
                f"{MODULES[name]} cannot read {path}: it is truncated or no engine; export it again"
            )
        tensors = [self._engine.get_tensor_name(index) for index in range(self._engine.num_io_tensors)]
        inputs = [t for t in tensors if self._engine.get_tensor_mode(t) == trt.TensorIOMode.INPUT]
        self._input, self._output = inputs[0], next(t for t in tensors if t not in inputs)
        _, _, largest = self._engine.get_tensor_profile_shape(self._input, 0)
        self.largest_batch = int(largest[0])
        self._host_in, self._gpu_in = self._buffers(trt, self._input, tuple(largest))
        token_shape = (self.largest_batch, *tuple(self._engine.get_tensor_shape(self._output))[1:])
        self._host_out, self._gpu_out = self._buffers(trt, self._output, token_shape)
        self._graphs: dict[int, tuple[Any, Any]] = {}

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """All tokens (B, T, d) of images (B, 3, S, S) float32 or raw frames (B, H, W, 3) uint8."""
        batch = len(inputs)
        if batch not in self._graphs:
            self._graphs[batch] = self._record(batch)
        np.copyto(self._host_in[:batch], inputs)
        self._cuda.replay(self._graphs[batch][1])
        self._cuda.wait()
        return self._host_out[:batch]

    def describe(self) -> dict[str, str]:
        """What a parity certificate is valid for."""
        return {
            "runtime": self.name,
            "version": self._version,
            "provider": "native",
            "device": self._cuda.device,
        }

    def _buffers(self, trt: Any, tensor: str, shape: tuple[int, ...]) -> tuple[np.ndarray, int]:
        """Page-locked array and GPU memory of a tensor."""
        dtype = np.dtype(trt.nptype(self._engine.get_tensor_dtype(tensor)))
        host = self._cuda.pinned(shape, dtype)
        return host, self._cuda.buffer(host.nbytes)

    def _record(self, batch: int) -> tuple[Any, Any]:
        """A context for this batch size and its CUDA graph.

        A graph stays valid only while its context keeps its shapes, so each batch size has a context.
        """
        context = self._engine.create_execution_context()
        context.set_input_shape(self._input, (batch, *self._host_in.shape[1:]))
        context.set_tensor_address(self._input, self._gpu_in)
        context.set_tensor_address(self._output, self._gpu_out)

        def work() -> None:
            self._cuda.to_gpu(self._gpu_in, self._host_in[:batch])
            if not context.execute_async_v3(int(self._cuda.stream)):
                raise TheiaError(f"{self.name} failed to run a batch of {batch}; export the engine again")
            self._cuda.from_gpu(self._host_out[:batch], self._gpu_out)

        # Once outside of the recording: the first run allocates.
        work()
        self._cuda.wait()
        return context, self._cuda.record(work)
