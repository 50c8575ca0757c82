"""Graphs put together: preprocessing before the encoder, a policy behind it."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, compose, external_data_helper, helper, numpy_helper, version_converter

from theia_core.policies.artefact import GRAPH
from theia_deploy.preprocessing_graph import OPSET


def behind_preprocessing(preprocessing: onnx.ModelProto, encoder: onnx.ModelProto) -> onnx.ModelProto:
    """Graph frames -> tokens of preprocessing (frames -> images) and an encoder (images -> tokens)."""
    return _join(preprocessing, encoder, {"images": "images"}, "pre/", "")


def with_policy(frames: onnx.ModelProto, special_tokens: int, policy: onnx.ModelProto) -> onnx.ModelProto:
    """Graph frames, joints -> actions of the graphs frames -> all tokens and tokens, joints -> actions."""
    cut = onnx.ModelProto()
    cut.CopyFrom(frames)
    graph = cut.graph
    tokens = graph.output[0]
    graph.initializer.extend(
        numpy_helper.from_array(np.array([value], np.int64), f"spatial/{name}")
        for name, value in (("start", special_tokens), ("end", np.iinfo(np.int64).max), ("axis", 1))
    )
    bounds = [f"spatial/{name}" for name in ("start", "end", "axis")]
    graph.node.append(helper.make_node("Slice", [tokens.name, *bounds], ["spatial/half"]))
    graph.node.append(helper.make_node("Cast", ["spatial/half"], ["spatial"], to=TensorProto.FLOAT))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("spatial", TensorProto.FLOAT, None))
    return _join(cut, policy, {"spatial": "tokens"}, "", "policy/")


def policy_graph(folder: Path) -> onnx.ModelProto:
    """A policy's graph with its weights inside, at our version of the operators."""
    model = onnx.load(folder / GRAPH, load_external_data=False)
    external_data_helper.load_external_data_for_model(model, str(folder))
    return version_converter.convert_version(model, OPSET)


def _join(
    first: onnx.ModelProto, second: onnx.ModelProto, links: dict[str, str], prefix1: str, prefix2: str
) -> onnx.ModelProto:
    """Both as one graph; inputs and outputs keep their names."""
    first, second = _copy(first, prefix1), _copy(second, prefix2)
    second.ir_version = first.ir_version = max(first.ir_version, second.ir_version)
    return compose.merge_models(first, second, io_map=list(links.items()))


def _copy(model: onnx.ModelProto, prefix: str) -> onnx.ModelProto:
    """A copy whose inner names begin with `prefix`, so that the names of two graphs cannot meet."""
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    del copied.graph.value_info[:]
    # Only operators of ONNX itself are in these graphs.
    del copied.functions[:], copied.metadata_props[:]
    kept = [entry for entry in copied.opset_import if entry.domain in ("", "ai.onnx", "com.microsoft")]
    del copied.opset_import[:]
    copied.opset_import.extend(kept)
    if not prefix:
        return copied
    return compose.add_prefix(copied, prefix, rename_inputs=False, rename_outputs=False)
