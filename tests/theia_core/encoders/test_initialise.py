"""A backbone started from a ViT's file computes what that ViT computes, or says which key does not fit."""

import json

import numpy as np
import pytest

# ruff: noqa: E402
torch = pytest.importorskip("torch")

from safetensors.torch import save_file
from torch.nn import functional

from theia_core.encoders.initialise import initialise_from_deit, resize_kernels, select_weights
from theia_core.encoders.vit import Vit, VitConfig
from theia_core.encoders.vit_file import read_vit_file
from theia_core.errors import TheiaError
from theia_core.images import Preprocessing

SMALL = VitConfig(width=12, heads=3, mlp=24, image_size=64)
FRAMES = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)


def timm_weights(width=12, mlp=24, patch=16, positions=17, depth=12, special=(), scale=False, seed=0):
    """A ViT under timm's names with weights large enough that every one of them matters."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator) * 0.3

    weights = {
        "cls_token": normal(1, 1, width),
        "pos_embed": normal(1, positions, width),
        "patch_embed.proj.weight": normal(width, 3, patch, patch) / patch,
        "patch_embed.proj.bias": normal(width),
        "norm.weight": 1 + normal(width),
        "norm.bias": normal(width),
        "head.weight": normal(10, width),
        "head.bias": normal(10),
    }
    for index in range(depth):
        for name, shape in (
            ("attn.qkv", (3 * width, width)),
            ("attn.proj", (width, width)),
            ("mlp.fc1", (mlp, width)),
            ("mlp.fc2", (width, mlp)),
        ):
            weights[f"blocks.{index}.{name}.weight"] = normal(*shape)
            weights[f"blocks.{index}.{name}.bias"] = normal(shape[0])
        for name in ("norm1", "norm2"):
            weights[f"blocks.{index}.{name}.weight"] = 1 + normal(width)
            weights[f"blocks.{index}.{name}.bias"] = normal(width)
        if scale:
            weights[f"blocks.{index}.ls1.gamma"], weights[f"blocks.{index}.ls2.gamma"] = normal(2, width)
    return weights | {name: normal(1, 1, width) for name in special}


def timm_forward(weights, images, heads):
    """timm's forward pass, written anew from its names: all tokens after the final norm."""
    linear, norm = functional.linear, functional.layer_norm
    patches = functional.conv2d(
        images,
        weights["patch_embed.proj.weight"],
        weights["patch_embed.proj.bias"],
        stride=weights["patch_embed.proj.weight"].shape[-1],
    )
    special = [
        weights[name].expand(len(images), -1, -1) for name in ("cls_token", "dist_token") if name in weights
    ]
    x = torch.cat([*special, patches.flatten(2).transpose(1, 2)], 1) + weights["pos_embed"]
    width = x.shape[-1]
    for index in range(12):
        block = {k.removeprefix(f"blocks.{index}."): v for k, v in weights.items() if f"blocks.{index}." in k}
        y = norm(x, (width,), block["norm1.weight"], block["norm1.bias"])
        qkv = linear(y, block["attn.qkv.weight"], block["attn.qkv.bias"])
        q, k, v = qkv.reshape(len(x), -1, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        y = ((q @ k.transpose(-2, -1)) / (width // heads) ** 0.5).softmax(-1) @ v
        y = linear(y.transpose(1, 2).flatten(2), block["attn.proj.weight"], block["attn.proj.bias"])
        x = x + y * block.get("ls1.gamma", 1)
        y = norm(x, (width,), block["norm2.weight"], block["norm2.bias"])
        y = functional.gelu(linear(y, block["mlp.fc1.weight"], block["mlp.fc1.bias"]))
        x = x + linear(y, block["mlp.fc2.weight"], block["mlp.fc2.bias"]) * block.get("ls2.gamma", 1)
    return norm(x, (width,), weights["norm.weight"], weights["norm.bias"])


def to_hugging_face(weights):
    """The same weights under the names of transformers' ViT and DeiT."""
    renamed = {}
    for key, value in weights.items():
        if ".attn.qkv." in key:
            for part, tensor in zip(("query", "key", "value"), value.chunk(3), strict=True):
                name = key.replace("blocks.", "vit.encoder.layer.").replace(
                    "attn.qkv", f"attention.attention.{part}"
                )
                renamed[name] = tensor.contiguous()
            continue
        for old, new in (
            ("blocks.", "encoder.layer."),
            ("attn.proj", "attention.output.dense"),
            ("norm1", "layernorm_before"),
            ("norm2", "layernorm_after"),
            ("mlp.fc1", "intermediate.dense"),
            ("mlp.fc2", "output.dense"),
            ("patch_embed.proj", "embeddings.patch_embeddings.projection"),
            ("pos_embed", "embeddings.position_embeddings"),
            ("cls_token", "embeddings.cls_token"),
        ):
            key = key.replace(old, new)
        key = "layernorm." + key.removeprefix("norm.") if key.startswith("norm.") else key
        renamed[key if key.startswith("head.") else f"vit.{key}"] = value
    return {key.replace("head.", "classifier."): value for key, value in renamed.items()}


def saved(tmp_path, weights, **header):
    save_file(weights, tmp_path / "vit.safetensors", {"format": "pt", **header})
    return tmp_path / "vit.safetensors"


def vit(seed=1, **changes):
    torch.manual_seed(seed)
    return Vit(VitConfig(**{**SMALL.__dict__, **changes})).eval()


def imagenet(frames):
    return torch.from_numpy(Preprocessing(64, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)).apply(frames))


def own(frames):
    return torch.from_numpy(Preprocessing(64).apply(frames))


@pytest.mark.parametrize(("names", "scale"), [("timm", False), ("timm", True), ("hugging face", False)])
def test_the_same_picture_gives_the_same_tokens_as_the_network_of_the_file(tmp_path, names, scale):
    weights = timm_weights(scale=scale)
    expected = timm_forward(weights, imagenet(FRAMES), heads=3)
    file = saved(tmp_path, weights if names == "timm" else to_hugging_face(weights))
    model = vit()
    report = initialise_from_deit(model, file)
    with torch.inference_mode():
        assert (model(own(FRAMES)) - expected).abs().max() < 2e-4
    assert report.untouched == ()
    assert set(report.left) == (
        {"head.weight", "head.bias"} if names == "timm" else {"classifier.weight", "classifier.bias"}
    )
    assert len(report.used) + len(report.left) == len(read_keys(file))


def read_keys(file):
    from theia_core.runtimes.safetensors_graph import tensor_places

    return tensor_places(file)


def test_a_distillation_token_is_dropped_with_its_position(tmp_path):
    weights = timm_weights(positions=18, special=("dist_token",))
    model = vit()
    assert "dist_token" in initialise_from_deit(model, saved(tmp_path, weights)).left
    stored = weights["pos_embed"]
    assert torch.equal(model.embeddings.position_embeddings[:, :1], stored[:, :1])
    assert torch.equal(model.embeddings.position_embeddings[:, 1:], stored[:, 2:])


def test_position_embeddings_of_another_grid_are_interpolated_and_registers_left_alone(tmp_path):
    weights = timm_weights(positions=1 + 8 * 8)
    ramp = torch.arange(8.0)[None, :].expand(8, 8).reshape(1, 64, 1).expand(1, 64, 12)
    weights["pos_embed"] = torch.cat([weights["pos_embed"][:, :1], ramp], 1)
    model = vit(registers=2)
    before = model.embeddings.register_tokens.clone()
    report = initialise_from_deit(model, saved(tmp_path, weights))
    columns = model.embeddings.position_embeddings[0, 1:, 0].detach().reshape(4, 4)
    assert torch.allclose(columns, columns[:1].expand(4, 4), atol=1e-5)
    assert torch.allclose(columns[0, 1:3], torch.tensor([2.5, 4.5]), atol=0.05)
    assert torch.equal(model.embeddings.register_tokens, before)
    assert set(report.untouched) == {
        "embeddings.register_tokens",
        "embeddings.register_position_embeddings",
    }


def test_positions_without_one_for_cls_leave_it_at_zero(tmp_path):
    model = vit()
    initialise_from_deit(model, saved(tmp_path, timm_weights(positions=16)))
    assert model.embeddings.position_embeddings[:, 0].abs().max() == 0


def test_larger_kernels_give_the_tokens_of_the_smaller_patches():
    torch.manual_seed(0)
    kernels, patches = torch.randn(5, 3, 14, 14), torch.randn(7, 3, 14, 14)
    enlarged = functional.interpolate(patches, (16, 16), mode="bilinear", align_corners=False)
    expected = torch.einsum("kcij,ncij->nk", kernels, patches)
    found = torch.einsum("kcij,ncij->nk", resize_kernels(kernels, 16), enlarged)
    assert (found - expected).abs().max() < 1e-3
    assert resize_kernels(kernels, 14) is kernels
    assert resize_kernels(kernels, 8).shape == (5, 3, 8, 8)


def test_the_normalisation_in_the_files_header_is_the_one_that_is_absorbed(tmp_path):
    weights = timm_weights()
    file = saved(tmp_path, weights, preprocessing=json.dumps(Preprocessing().to_dict()))
    model = vit()
    initialise_from_deit(model, file)
    assert torch.equal(
        model.embeddings.patch_embeddings.projection.weight, weights["patch_embed.proj.weight"]
    )


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (
            lambda w: w.pop("blocks.3.attn.qkv.bias"),
            r"lacks encoder\.layer\.3\.attention\.attention\.key\.bias",
        ),
        (lambda w: w.pop("cls_token"), r"lacks embeddings\.cls_token"),
        (
            lambda w: w.update({"blocks.0.mlp.w12.weight": torch.zeros(1)}),
            r"a ViT has not: blocks\.0\.mlp\.w12",
        ),
        (lambda w: w.update(pos_embed=torch.zeros(1, 20, 12)), "20 position embeddings"),
        (lambda w: w.update(timm_weights(width=24)), r"\(1, 1, 24\) instead of \(1, 1, 12\)"),
        (lambda w: w.update(timm_weights(depth=13)), "too many blocks"),
        (lambda w: w["norm.bias"].fill_(torch.nan), r"not finite: layernorm\.bias"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_the_key_named(tmp_path, edit, complaint):
    weights = timm_weights()
    edit(weights)
    model = vit()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(TheiaError, match=complaint):
        initialise_from_deit(model, saved(tmp_path, weights))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_an_unreadable_file_is_refused(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"no tensors here")
    for path in (tmp_path / "x.safetensors", tmp_path / "absent.safetensors"):
        with pytest.raises(TheiaError, match="not a readable safetensors file"):
            read_vit_file(path)


def test_selected_weights_are_every_second_element_and_whole_heads(tmp_path):
    weights = timm_weights(width=24, mlp=48)
    model = vit()
    report = select_weights(model, saved(tmp_path, weights), heads=6)
    block, query = model.encoder.layer[5], slice(0, 24)
    # Six heads of four channels: heads 0, 2 and 4 stay whole.
    rows = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19]
    stored = weights["blocks.5.attn.qkv.weight"][query]
    assert torch.equal(block.attention.attention.query.weight, stored[rows][:, ::2])
    assert torch.equal(
        block.attention.output.dense.weight, weights["blocks.5.attn.proj.weight"][::2][:, rows]
    )
    assert torch.equal(block.intermediate.dense.weight, weights["blocks.5.mlp.fc1.weight"][::2, ::2])
    assert torch.equal(block.output.dense.bias, weights["blocks.5.mlp.fc2.bias"][::2])
    assert torch.equal(model.layernorm.weight, weights["norm.weight"][::2])
    assert report.untouched == ()


def test_selected_layers_are_the_first_ones_or_those_named_and_the_rest_stays_random(tmp_path):
    file = saved(tmp_path, weights := timm_weights(width=24, mlp=48))
    model, untouched = vit(), vit()
    report = select_weights(model, file, 9, heads=6)
    assert torch.equal(
        model.encoder.layer[9].output.dense.weight, untouched.encoder.layer[9].output.dense.weight
    )
    assert torch.equal(model.layernorm.weight, untouched.layernorm.weight)
    assert sorted({name.split(".")[2] for name in report.untouched if "encoder" in name}) == ["10", "11", "9"]
    select_weights(model, file, [0, 4], heads=6)
    assert torch.equal(model.encoder.layer[1].output.dense.bias, weights["blocks.4.mlp.fc2.bias"][::2])
    for layers in (0, 13, [12]):
        with pytest.raises(TheiaError, match="cannot be taken"):
            select_weights(model, file, layers, heads=6)


def test_selecting_all_of_a_network_of_the_same_size_is_copying_it(tmp_path):
    file = saved(tmp_path, timm_weights(scale=True))
    copied, selected = vit(1), vit(2)
    initialise_from_deit(copied, file)
    select_weights(selected, file)
    state = selected.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in copied.state_dict().items())


def test_selecting_from_a_smaller_network_is_refused(tmp_path):
    with pytest.raises(TheiaError, match="at least width 12"):
        select_weights(vit(), saved(tmp_path, timm_weights(width=6, mlp=12)), heads=3)
