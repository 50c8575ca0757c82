"""Part of an ONNX graph: what lies between given inputs and one tensor inside."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from theia_core.errors import TheiaError


def load_graph(path: Path) -> onnx.ModelProto:
    """An ONNX model with its weights, also where they lie in files beside it.

    Raises:
        TheiaError: if the file is absent or is no ONNX model.
    """
    try:
        return onnx.load(path)
    except Exception as error:  # protobuf's and onnx's exception classes share no base but Exception
        raise TheiaError(
            f"{path} is not a readable ONNX model ({error}); fetch or export it again"
        ) from error


def tensor_name(model: onnx.ModelProto, name: str) -> str:
    """Name of the tensor called `name`, or of the first output of the node called so.

    Raises:
        TheiaError: if the graph has neither.
    """
    if any(name in node.output for node in model.graph.node):
        return name
    for node in model.graph.node:
        if node.name == name:
            return str(node.output[0])
    last = name.split("/")[-1].lower()
    close = [node.output[0] for node in model.graph.node if last and last in node.output[0].lower()]
    hint = f"; close to it are {', '.join(close[:5])}" if close else ""
    raise TheiaError(
        f"the ONNX graph has no tensor or node {name!r}{hint}; give the name of one of its outputs"
    )


def cut(model: onnx.ModelProto, inputs: Mapping[str, Sequence[int | str]], output: str) -> onnx.ModelProto:
    """The part of a graph that computes `output` from `inputs`.

    Args:
        model: whole model; it is not changed.
        inputs: name -> shape of float32 tensors, inputs of the model or tensors inside it, where the cut
            starts. A dimension given by a name is dynamic.
        output: name of the float32 tensor where it ends.

    Raises:
        TheiaError: if `output` also depends on an input of the model that is not among `inputs`.
    """
    graph = model.graph
    producers = {name: node for node in graph.node for name in node.output}
    weights = {initializer.name: initializer for initializer in graph.initializer}
    wanted, needed_nodes, needed_weights = [output], set(), []
    seen = set(inputs)
    while wanted:
        name = wanted.pop()
        if name in seen or not name:
            continue
        seen.add(name)
        if name in weights:
            needed_weights.append(weights[name])
        elif name in producers:
            needed_nodes.add(id(producers[name]))
            wanted += producers[name].input
        else:
            raise TheiaError(f"{output} also needs the graph's input {name!r}; give it among the inputs")
    nodes = [node for node in graph.node if id(node) in needed_nodes]
    part = helper.make_graph(
        nodes,
        "part",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        needed_weights,
    )
    return helper.make_model(part, opset_imports=model.opset_import, ir_version=max(model.ir_version, 8))


def maps_to_tokens(model: onnx.ModelProto, channels: int) -> None:
    """Make a graph's output maps (b, C, h, w) into tokens (b, h*w, C), in place."""
    graph = model.graph
    maps = graph.output[0].name
    shape = numpy_helper.from_array(np.array([0, channels, -1], np.int64), "tokens.shape")
    graph.initializer.append(shape)
    graph.node.append(helper.make_node("Reshape", [maps, shape.name], ["tokens.columns"]))
    graph.node.append(helper.make_node("Transpose", ["tokens.columns"], ["tokens"], perm=[0, 2, 1]))
    graph.output[0].CopyFrom(helper.make_tensor_value_info("tokens", TensorProto.FLOAT, None))
