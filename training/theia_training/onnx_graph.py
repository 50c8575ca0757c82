"""From a torch module to an ONNX graph with a dynamic batch."""

import logging
import warnings
from collections.abc import Sequence

import onnx
import torch
from torch import nn


def to_onnx(
    model: nn.Module,
    inputs: Sequence[torch.Tensor],
    input_names: Sequence[str],
    output_name: str,
    opset: int = 18,
) -> onnx.ModelProto:
    """Graph of `model` with its weights inside.

    Args:
        model: module in eval mode whose inputs share their first dimension, the batch.
        inputs: example inputs; the batch must be at least 2, or it is taken for a constant.
        input_names: names of the graph's inputs.
        output_name: name of its only output.
        opset: version of the operators; 20 is the first with a Gelu of its own.

    Raises:
        RuntimeError: if the model fixed the batch, as len(tensor) and int(tensor.shape[0]) do.
    """
    batch = torch.export.Dim("batch")
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    exporter.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # The exporter talks about torchvision's absence and about its own deprecations.
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                model,
                tuple(inputs),
                input_names=list(input_names),
                output_names=[output_name],
                dynamic_shapes=tuple({0: batch} for _ in inputs),
                opset_version=opset,
                dynamo=True,
                verbose=False,
            )
    finally:
        exporter.setLevel(level)
    assert program is not None
    graph = program.model_proto
    if any(not value.type.tensor_type.shape.dim[0].dim_param for value in graph.graph.input):
        raise RuntimeError(f"{type(model).__name__} fixed its batch; take it from tensor.shape[0] as it is")
    return graph
