"""Preprocessing in the graph is Pillow's resize, to the last level."""

import numpy as np
import pytest

# ruff: noqa: E402
onnx = pytest.importorskip("onnx")

from theia_core.images import Preprocessing
from theia_core.runtimes.onnx_session import OnnxSession
from theia_deploy.preprocessing_graph import preprocessing_graph, resize_matrix

PREPROCESSING = Preprocessing(224, (0.5, 0.4, 0.3), (0.5, 0.6, 0.7))
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("size", [(480, 640), (224, 224), (100, 57), (224, 500), (721, 224), (223, 225)])
def test_it_equals_the_library_s_preprocessing(size, tmp_path):
    model = preprocessing_graph(PREPROCESSING, *size)
    onnx.checker.check_model(model)
    onnx.save(model, tmp_path / "graph.onnx")
    smooth = np.linspace(0, 255, size[0] * size[1] * 3).reshape(1, *size, 3).astype(np.uint8)
    frames = np.concatenate([RNG.integers(0, 256, (1, *size, 3), np.uint8), smooth])
    images = OnnxSession(tmp_path / "graph.onnx", threads=1).run(frames)
    # A level is 0.0056 here: what is left is the rounding of the normalisation.
    assert np.abs(images - PREPROCESSING.apply(frames)).max() < 1e-6


def test_rows_of_a_resize_matrix_sum_to_one():
    for source, target in ((640, 224), (100, 224), (224, 224)):
        sums = resize_matrix(source, target).sum(axis=1)
        assert np.abs(sums - 1).max() < 1e-6


def test_it_has_no_operator_that_tensorrt_rejects():
    kinds = {node.op_type for node in preprocessing_graph(PREPROCESSING, 480, 640).graph.node}
    assert kinds == {"Cast", "Transpose", "MatMul", "Add", "Sub", "Floor", "Mul"}
