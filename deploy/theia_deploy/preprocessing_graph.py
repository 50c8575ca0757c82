"""Preprocessing as an ONNX graph: a raw camera frame becomes the encoder's input by two matrix products.

`theia_core.images.Preprocessing` is the definition, and this computes the same: Pillow's antialiased bilinear
resize of a frame of known size is one matrix per axis, horizontal first, with the result of each pass rounded
to whole levels. An antialiased Resize operator would be shorter, but TensorRT rejects it.

Pillow computes in whole numbers. Float32 sums are off by 1e-5 of a level, which rounds some ten values of a
VGA frame to the neighbouring level and moves a token by 0.003; so each matrix is the sum of a coarse and a
fine one, whose products are whole numbers that float32, and TF32 on a GPU, hold exactly.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from theia_core.images import Preprocessing

OPSET = 20
# Pillow's weights have so many binary digits, the coarse matrix the first half of them.
_PRECISION_BITS, _COARSE_BITS = 22, 11


def resize_matrix(source: int, target: int) -> np.ndarray:
    """Pillow's bilinear filter along one axis, as (target, source) float64: resized = matrix @ pixels."""
    scale = source / target
    support = max(scale, 1.0)
    matrix = np.zeros((target, source))
    for row in range(target):
        centre = (row + 0.5) * scale
        first = max(int(centre - support + 0.5), 0)
        last = min(int(centre + support + 0.5), source)
        distance = np.abs((np.arange(first, last) - centre + 0.5) / support)
        weights = np.maximum(1.0 - distance, 0.0)
        matrix[row, first:last] = np.round(weights / weights.sum() * 2**_PRECISION_BITS)
    return matrix / 2**_PRECISION_BITS


def split_matrix(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A coarse and a fine float32 matrix whose sum is `matrix`."""
    coarse = np.round(matrix * 2**_COARSE_BITS) / 2**_COARSE_BITS
    return coarse.astype(np.float32), (matrix - coarse).astype(np.float32)


def preprocessing_graph(preprocessing: Preprocessing, height: int, width: int) -> onnx.ModelProto:
    """Graph "frames" (B, height, width, 3) uint8 RGB -> "images" (B, 3, S, S) float32."""
    size = preprocessing.size
    nodes, constants = [], []

    def constant(name: str, values: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

    def node(kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    # Cast before Transpose: TensorRT does not move uint8.
    values = node("Cast", ["frames"], "levels", to=TensorProto.FLOAT)
    values = node("Transpose", [values], "planes", perm=[0, 3, 1, 2])  # (B, 3, H, W)
    half = constant("half", np.array(0.5))

    def resize(values: str, name: str, matrix: np.ndarray, *, from_left: bool) -> str:
        """One pass: floor(matrix @ values + 1/2), exactly."""
        products = []
        for part, constants_of in zip(("coarse", "fine"), split_matrix(matrix), strict=True):
            weights = constant(f"{name}_{part}_weights", constants_of if from_left else constants_of.T)
            inputs = [weights, values] if from_left else [values, weights]
            products.append(node("MatMul", inputs, f"{name}_{part}"))
        coarse, fine = products
        raised = node("Add", [coarse, half], f"{name}_raised")
        whole = node("Floor", [raised], f"{name}_whole")
        rest = node("Add", [node("Sub", [raised, whole], f"{name}_over"), fine], f"{name}_rest")
        return node("Add", [whole, node("Floor", [rest], f"{name}_carry")], name)

    if width != size:
        values = resize(values, "narrowed", resize_matrix(width, size), from_left=False)  # (B, 3, H, S)
    if height != size:
        values = resize(values, "resized", resize_matrix(height, size), from_left=True)  # (B, 3, S, S)
    mean, std = np.asarray(preprocessing.mean), np.asarray(preprocessing.std)
    scaled = node("Mul", [values, constant("scale", (1 / (255 * std))[:, None, None])], "scaled")
    node("Add", [scaled, constant("offset", (-mean / std)[:, None, None])], "images")
    graph = helper.make_graph(
        nodes,
        "preprocessing",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["batch", height, width, 3])],
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, size, size])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
