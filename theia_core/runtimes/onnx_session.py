"""onnxruntime sessions with a fixed number of threads and the provider that was asked for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from theia_core.errors import TheiaError

CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"


class OnnxSession:
    """One ONNX graph, its weights beside it, on one execution provider.

    Attributes:
        session: onnxruntime's own.
        input_names: names of the graph's inputs.
        input_shapes: their shapes; a dynamic dimension is a name or None.
    """

    def __init__(
        self,
        graph_path: Path,
        threads: int = 2,
        provider: str = CPU,
        provider_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Load the graph and verify that `provider` runs it.

        Args:
            graph_path: `.onnx` file.
            threads: threads of one operator; two encoders on two cores want one each.
            provider: onnxruntime's name of an execution provider.
            provider_options: options of that provider.

        Raises:
            TheiaError: if the graph or its weights cannot be loaded, this onnxruntime has no such provider,
                or it fell back to another one.
        """
        if threads < 1:
            raise TheiaError(f"threads is {threads}; give at least 1")
        if provider not in (have := onnxruntime.get_available_providers()):
            raise TheiaError(
                f"this onnxruntime {onnxruntime.__version__} has no {provider}, only {', '.join(have)}; "
                "install 'theia-robotics[gpu]' instead of onnxruntime, or ask for the runtime 'onnxruntime'"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Idle threads that spin took four times the CPU of the network itself at 30 Hz, away from the robot's
        # other processes, and made it no faster.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        # What TensorRT does not know stays on the GPU.
        others = [CUDA] if provider == TENSORRT else []
        try:
            self.session = onnxruntime.InferenceSession(
                str(graph_path), options, providers=[(provider, dict(provider_options or {})), *others]
            )
        except Exception as error:  # onnxruntime's exception classes share no base but Exception
            remedy = "export or fetch it again"
            if provider != CPU:
                remedy += f", or look whether this machine has the driver and libraries of {provider}"
            raise TheiaError(
                f"onnxruntime cannot load {graph_path} ({str(error).splitlines()[0]}); {remedy}"
            ) from error
        active = self.session.get_providers()[0]
        if active != provider:
            raise TheiaError(
                f"onnxruntime runs {graph_path.name} on {active} instead of {provider}; install that "
                "provider's package and driver, or ask for the CPU"
            )
        inputs = self.session.get_inputs()
        self.input_names = [value.name for value in inputs]
        self.input_shapes = [list(value.shape) for value in inputs]

    def run(self, *arrays: np.ndarray) -> np.ndarray:
        """First output of the graph for its inputs in order."""
        outputs = self.session.run(None, dict(zip(self.input_names, arrays, strict=True)))
        return np.asarray(outputs[0])


class OnnxEncoderRuntime:
    """An encoder's graph (B, 3, S, S) or (B, H, W, 3) -> (B, T, d) through onnxruntime on the CPU.

    On a CPU one image at a time is the fastest (5 ms against 6.5 ms per image in a batch of eight,
    EfficientNet-Lite2 on two cores), and tokens computed for training then equal the robot's to the bit.
    """

    name = "onnxruntime"
    patch: int | None = None

    def __init__(
        self,
        graph_path: Path,
        threads: int = 2,
        largest_batch: int = 1,
        *,
        precision: str = "fp32",
        frame_size: tuple[int, int] | None = None,
    ) -> None:
        """Load the graph; errors as for `OnnxSession`.

        Args:
            graph_path: `.onnx` file.
            threads: threads of one operator.
            largest_batch: how many images `run` is given at once, what was measured to be the fastest.
            precision: what the graph computes in.
            frame_size: (H, W) of the raw frames that the graph takes, None if it takes images.
        """
        self._session = OnnxSession(graph_path, threads)
        self.largest_batch = largest_batch
        self.precision, self.frame_size = precision, frame_size

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """All tokens (B, T, d) of images (B, 3, S, S) float32 or raw frames (B, H, W, 3) uint8."""
        return self._session.run(inputs)

    def describe(self) -> dict[str, str]:
        """What a parity certificate is valid for."""
        return describe_session(self.name, CPU)


def describe_session(name: str, provider: str, device: str = "cpu") -> dict[str, str]:
    """What a parity certificate of a runtime on onnxruntime is valid for."""
    return {
        "runtime": name,
        "version": onnxruntime.__version__,
        "provider": provider,
        "device": device,
    }
