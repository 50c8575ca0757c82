"""The same graph in less precision: halves for a GPU, 8-bit products for a CPU or for TensorRT."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def to_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy that computes in float16 between float32 images and float16 tokens.

    Precision then lies in the graph, as TensorRT 11 wants it. LayerNormalization stays one operator, whose
    statistics ONNX and TensorRT compute in float32; taken apart into halves it loses the network.
    """
    half = onnx.ModelProto()
    half.CopyFrom(model)
    graph = half.graph
    for index, initializer in enumerate(graph.initializer):
        if initializer.data_type == TensorProto.FLOAT:
            values = numpy_helper.to_array(initializer).astype(np.float16)
            graph.initializer[index].CopyFrom(numpy_helper.from_array(values, initializer.name))
    del graph.value_info[:]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name == "value" and attribute.t.data_type == TensorProto.FLOAT:
                values = numpy_helper.to_array(attribute.t).astype(np.float16)
                attribute.t.CopyFrom(numpy_helper.from_array(values, attribute.t.name))
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.FLOAT16
    name = graph.input[0].name
    for node in graph.node:
        for index, value in enumerate(node.input):
            if value == name:
                node.input[index] = f"{name}/half"
    graph.node.insert(0, helper.make_node("Cast", [name], [f"{name}/half"], to=TensorProto.FLOAT16))
    graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    return half


def first_mlp(model: onnx.ModelProto) -> list[str]:
    """Names of the first two products with a constant that is not square: the first block's MLP.

    What comes into it varies so much from token to token that one scale for all is too coarse. With it in 8
    bits, theia-tiny's lowest cosine is 0.986 and the worst dimension of the door policy's actions is off by
    0.058 of its standard deviation; without it, 0.9987 and 0.027, for a twentieth of the products.
    """
    shapes = {value.name: list(value.dims) for value in model.graph.initializer}
    products = [
        node.name
        for node in model.graph.node
        if node.op_type == "MatMul" and len(set(shapes.get(node.input[1], []))) > 1
    ]
    return products[:2]


def to_dynamic_int8(source: Path, target: Path) -> None:
    """Write a copy of a graph whose linear layers multiply 8-bit numbers, for onnxruntime on a CPU.

    Weights have one scale per output channel and 7 bits: with 8, AVX2's 16-bit sums of two products would
    saturate (a cosine of 0.957 instead of 0.998, measured). Inputs are scaled when they come. Products of two
    activations, attention's, stay in float32, and so does the first block's MLP (`first_mlp`).
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _quietly():
        quantize_dynamic(
            source,
            target,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            op_types_to_quantize=["MatMul"],
            nodes_to_exclude=first_mlp(onnx.load(source)),
            extra_options={"MatMulConstBOnly": True},
        )


def to_static_int8(source: Path, target: Path, images: np.ndarray) -> None:
    """Write a copy whose linear layers stand between QuantizeLinear and DequantizeLinear, for TensorRT.

    Both sides are signed and symmetric, the only kind that TensorRT takes. Residual sums and the first
    block's MLP (`first_mlp`) stay as they are.

    Args:
        source: graph of images in float32.
        target: graph to write.
        images: (B, 3, S, S) float32 real images, from which the scales of the inputs are taken.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Images(CalibrationDataReader):
        """Hands the images over one by one."""

        def __init__(self) -> None:
            self._left: Iterator[np.ndarray] = iter(images)

        def get_next(self) -> dict[str, np.ndarray] | None:
            """The next image."""
            image = next(self._left, None)
            return None if image is None else {"images": image[None]}

    with _quietly():
        quantize_static(
            source,
            target,
            Images(),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=["MatMul"],
            nodes_to_exclude=first_mlp(onnx.load(source)),
            extra_options={
                "ActivationSymmetric": True,
                "WeightSymmetric": True,
                "MatMulConstBOnly": True,
                "DedicatedQDQPair": True,
            },
        )


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the quantiser's advice to preprocess: that makes Gemm nodes, which it then skips."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
