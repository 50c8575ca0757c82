"""onnxruntime sessions with a fixed number of threads and the provider that was asked for."""

from pathlib import Path

import numpy as np
import onnxruntime

from theia_core.errors import TheiaError

CPU = "CPUExecutionProvider"


class OnnxSession:
    """One ONNX graph, its weights beside it, on one execution provider.

    Attributes:
        input_names: names of the graph's inputs.
        input_shapes: their shapes; a dynamic dimension is a name or None.
    """

    def __init__(self, graph_path: Path, threads: int = 2, provider: str = CPU) -> None:
        """Load the graph and verify that `provider` runs it.

        Args:
            graph_path: `.onnx` file.
            threads: threads of one operator; two encoders on two cores want one each.
            provider: onnxruntime's name of an execution provider.

        Raises:
            TheiaError: if the graph or its weights cannot be loaded, or onnxruntime fell back to another
                provider.
        """
        if threads < 1:
            raise TheiaError(f"threads is {threads}; give at least 1")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Idle threads that spin took four times the CPU of the network itself at 30 Hz, away from the robot's
        # other processes, and made it no faster.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(graph_path), options, providers=[provider])
        except Exception as error:  # onnxruntime's exception classes share no base but Exception
            raise TheiaError(
                f"onnxruntime cannot load {graph_path} ({str(error).splitlines()[0]}); "
                "export or fetch it again"
            ) from error
        active = self._session.get_providers()[0]
        if active != provider:
            raise TheiaError(
                f"onnxruntime runs {graph_path.name} on {active} instead of {provider}; install that "
                "provider's package and driver, or ask for the CPU"
            )
        inputs = self._session.get_inputs()
        self.input_names = [value.name for value in inputs]
        self.input_shapes = [list(value.shape) for value in inputs]

    def run(self, *arrays: np.ndarray) -> np.ndarray:
        """First output of the graph for its inputs in order."""
        outputs = self._session.run(None, dict(zip(self.input_names, arrays, strict=True)))
        return np.asarray(outputs[0])


class OnnxEncoderRuntime:
    """An encoder's graph (B, 3, S, S) -> (B, T, d) through onnxruntime.

    On a CPU one image at a time is the fastest (5 ms against 6.5 ms per image in a batch of eight,
    EfficientNet-Lite2 on two cores), and tokens computed for training then equal the robot's to the bit.
    """

    name = "onnxruntime"
    patch: int | None = None

    def __init__(
        self, graph_path: Path, threads: int = 2, provider: str = CPU, largest_batch: int = 1
    ) -> None:
        """Load the graph; arguments and errors as for `OnnxSession`.

        `largest_batch` is how many images `run` is given at once, what was measured to be the fastest.
        """
        self._session = OnnxSession(graph_path, threads, provider)
        self.largest_batch = largest_batch

    def run(self, images: np.ndarray) -> np.ndarray:
        """All tokens (B, T, d) float32 of images (B, 3, S, S) float32."""
        return self._session.run(images)
