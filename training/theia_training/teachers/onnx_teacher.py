"""A teacher that is a tensor inside an ONNX graph, computed by onnxruntime."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx

from theia_core.runtimes.onnx_session import OnnxSession
from theia_training.teachers.onnx_cut import maps_to_tokens
from theia_training.teachers.teacher import Teacher, TeacherOutput, TeacherSpec, tokens_to_output


class OnnxTeacher(Teacher):
    """Features from a graph (b, 3, S, S) -> maps (b, C, h, w) or tokens (b, T, C).

    On a CPU an image costs the same alone and in a batch; small batches keep the memory small.
    """

    largest_batch = 4

    def __init__(
        self,
        spec: TeacherSpec,
        make_graph: Callable[[], onnx.ModelProto],
        weights_sha256: str,
        threads: int = 2,
        special_tokens: int = 0,
    ) -> None:
        """Load a graph with one input and one output, which is neither changed nor kept.

        Args:
            spec: what it is.
            make_graph: gives the graph, which ends in the feature's tensor.
            weights_sha256: hex sha256 of the file that the graph is part of.
            threads: CPU threads of one operator.
            special_tokens: tokens in front of the spatial ones, if the output is tokens; the first is CLS
                where the spec has one.
        """
        self.spec, self.weights_sha256, self.special_tokens = spec, weights_sha256, special_tokens
        self._make_graph = make_graph
        self._session = open_session(make_graph(), threads)

    def _forward(self, images: np.ndarray) -> TeacherOutput:
        output = self._session.run(images)
        if output.ndim == 3:
            return tokens_to_output(output, self.spec.size, self.special_tokens, self.spec.has_cls)
        return TeacherOutput(output)

    def token_graph(self) -> onnx.ModelProto:
        """The graph, whose maps become tokens."""
        graph, size = self._make_graph(), self.spec.preprocessing.size
        if self._session.run(np.zeros((1, 3, size, size), np.float32)).ndim == 4:
            maps_to_tokens(graph, self.spec.size.channels)
        return graph


def open_session(graph: onnx.ModelProto, threads: int) -> OnnxSession:
    """Session of a graph in memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.onnx"
        onnx.save(graph, path)
        return OnnxSession(path, threads)
