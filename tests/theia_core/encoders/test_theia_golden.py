"""The whole forward path against outputs recorded from a correct implementation."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

# ruff: noqa: E402
torch = pytest.importorskip("torch")

from theia_core.encoders.theia import TheiaModel
from theia_core.encoders.theia_variants import released_variant
from theia_core.images import Preprocessing

DATA = Path(__file__).parents[2] / "data"
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def golden():
    return load_file(DATA / "theia_tiny_golden.safetensors")


@pytest.fixture(scope="module")
def outputs(golden, make_theia):
    model = make_theia(released_variant("theia-tiny-patch16-224-cddsv"))
    images = torch.from_numpy(Preprocessing().apply(golden["image/uint8_hwc_224"]))
    with torch.inference_mode():
        return model(images)[0].numpy(), {name: p.numpy() for name, p in model.translate(images).items()}


def test_tokens_equal_the_golden_ones(golden, outputs):
    error = np.abs(outputs[0] - golden["tokens/all_197"]).max()
    print(f"largest token error {error:.2e}")
    assert error < TOLERANCE


@pytest.mark.parametrize(
    ("teacher", "rows"), [("openai/clip-vit-large-patch14", 7), ("facebook/sam-vit-huge", 97)]
)
def test_translated_features_equal_the_golden_ones(golden, outputs, teacher, rows):
    expected = golden[f"pred_7x5_strided/{teacher.replace('/', '__')}"]
    predicted = outputs[1][teacher][:, ::rows, ::5]
    assert predicted.shape == expected.shape
    error = np.abs(predicted - expected).max()
    print(f"largest error of {teacher} {error:.2e}")
    assert error < TOLERANCE


@pytest.mark.parametrize("name", ["theia-tiny-patch16-224-cdiv", "theia-base-patch16-224-cddsv"])
def test_keys_and_shapes_are_those_of_the_released_checkpoint(name):
    compact = json.loads((DATA / "theia_state_dict_keys.json").read_text())[name]
    count = compact.pop("_keys")
    released = {}
    for key, shape in compact.items():
        for layer in range(12) if ".layer.*." in key else (0,):
            released[key.replace(".layer.*.", f".layer.{layer}.")] = tuple(shape)
    assert len(released) == count
    with torch.device("meta"):
        model = TheiaModel(released_variant(name))
    assert {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()} == released


@pytest.mark.parametrize(("size", "parameters"), [("tiny", 5_524_416), ("base", 85_798_656)])
def test_the_backbone_has_as_many_parameters_as_the_released_one(size, parameters):
    with torch.device("meta"):
        model = TheiaModel(released_variant(f"theia-{size}-patch16-224-cdiv"))
    assert sum(parameter.numel() for parameter in model.backbone.parameters()) == parameters
