"""A teacher from its config: any ONNX graph, TorchScript file, torch module or model of `transformers`."""

import importlib
from pathlib import Path
from typing import Any

import onnx
import torch
from safetensors.torch import load_file
from torch import nn

from theia_core.errors import TheiaError
from theia_core.runtimes.safetensors_graph import weights_sha256
from theia_training.teachers.config import TeacherConfig
from theia_training.teachers.encoder_teacher import EncoderTeacher
from theia_training.teachers.layer_output import LayerOutput, first_tensor
from theia_training.teachers.onnx_cut import cut, load_graph, tensor_name
from theia_training.teachers.onnx_teacher import OnnxTeacher
from theia_training.teachers.teacher import Teacher
from theia_training.teachers.torch_teacher import TorchTeacher


def build_teacher(config: TeacherConfig, threads: int = 2) -> Teacher:
    """Load the teacher that `config` describes.

    Raises:
        TheiaError: if its file, class or layer is absent, or its weights are others than the config names.
    """
    if config.kind == "encoder":
        return EncoderTeacher(config.path, threads)
    if config.kind == "transformers":
        from theia_training.teachers.transformers_models import TransformersWeights, load_transformers_teacher

        weights = TransformersWeights(config.path, config.revision, config.allow_download)
        return load_transformers_teacher(config.spec, str(config.model), weights, threads)
    digest = weights_sha256(Path(config.path))
    if config.sha256 and config.sha256 != digest:
        raise TheiaError(
            f"{config.path} has sha256 {digest} but the config of {config.name} names {config.sha256}; use "
            "the file it was written for, or correct the config"
        )
    if config.kind == "onnx":
        return _onnx_teacher(config, digest, threads)
    network = _torchscript(config) if config.kind == "torchscript" else _torch_module(config)
    return TorchTeacher(config.spec, network, digest, threads, config.special_tokens)


def _onnx_teacher(config: TeacherConfig, digest: str, threads: int) -> OnnxTeacher:
    size = config.spec.preprocessing.size

    def graph() -> onnx.ModelProto:
        model = load_graph(Path(config.path))
        weights = {initializer.name for initializer in model.graph.initializer}
        inputs = [value.name for value in model.graph.input if value.name not in weights]
        if len(inputs) != 1:
            raise TheiaError(f"{config.path} has the inputs {', '.join(inputs)}; a teacher takes images only")
        output = model.graph.output[0].name if config.output is None else str(config.output)
        return cut(model, {inputs[0]: ("batch", 3, size, size)}, tensor_name(model, output))

    return OnnxTeacher(config.spec, graph, digest, threads, config.special_tokens)


class _Selected(nn.Module):
    """One of the results of a network."""

    def __init__(self, network: nn.Module, key: str | int | None) -> None:
        super().__init__()
        self.network, self.key = network, key

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        result: Any = self.network(images)
        try:
            return first_tensor(result if self.key is None else result[self.key])
        except (KeyError, IndexError, TypeError) as error:
            raise TheiaError(f"the network's result has no {self.key!r}; name one of its results") from error


def _torchscript(config: TeacherConfig) -> nn.Module:
    try:
        network = torch.jit.load(config.path, map_location="cpu")
    except (RuntimeError, ValueError) as error:
        raise TheiaError(f"{config.path} is not a TorchScript file; save one with torch.jit.save") from error
    return _Selected(network, config.output)


def _torch_module(config: TeacherConfig) -> nn.Module:
    module_name, _, class_name = str(config.model).partition(":")
    try:
        factory = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise TheiaError(
            f"cannot import {config.model!r} ({error}); give the network's class as package.module:Class"
        ) from error
    network: nn.Module = factory(**config.arguments)
    try:
        if config.path.endswith(".safetensors"):
            weights = load_file(config.path)
        else:
            weights = torch.load(config.path, weights_only=True, map_location="cpu")
    except Exception as error:  # safetensors' and pickle's exceptions share no base but Exception
        raise TheiaError(
            f"{config.path} is no file of tensors ({str(error).splitlines()[0]}); give a .safetensors file"
        ) from error
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise TheiaError(f"the weights in {config.path} are not those of {config.model}: {error}") from error
    return _Selected(network, None) if config.output is None else LayerOutput(network, str(config.output))
