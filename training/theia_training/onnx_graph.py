"""From a torch module to an ONNX graph with a dynamic batch."""

import logging
import warnings
from collections.abc import Sequence

import onnx
import torch
from torch import nn


def to_onnx(
    model: nn.Module, inputs: Sequence[torch.Tensor], input_names: Sequence[str], output_name: str
) -> onnx.ModelProto:
    """Graph of `model` with its weights inside, opset 18.

    Args:
        model: module in eval mode whose inputs share their first dimension, the batch.
        inputs: example inputs; the batch must be at least 2, or it is taken for a constant.
        input_names: names of the graph's inputs.
        output_name: name of its only output.
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
                opset_version=18,
                dynamo=True,
                verbose=False,
            )
    finally:
        exporter.setLevel(level)
    assert program is not None
    return program.model_proto
