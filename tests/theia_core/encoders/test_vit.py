"""The backbone on other resolutions, with registers, and its translators on other grids."""

import numpy as np
import pytest

# ruff: noqa: E402
torch = pytest.importorskip("torch")

from theia_core.encoders.feature_size import FeatureSize
from theia_core.encoders.translators import Translator
from theia_core.encoders.vit import Vit, VitConfig
from theia_core.errors import TheiaError

SMALL = VitConfig(width=12, heads=3, mlp=24, image_size=64)


def small_vit(**changes):
    torch.manual_seed(0)
    return Vit(VitConfig(**{**SMALL.__dict__, **changes})).eval()


def test_any_multiple_of_the_patch_size_gives_one_token_per_patch():
    with torch.inference_mode():
        assert small_vit()(torch.zeros(2, 3, 96, 32)).shape == (2, 1 + 6 * 2, 12)
    with pytest.raises(TheiaError, match="100x64"):
        small_vit()(torch.zeros(1, 3, 100, 64))


def test_position_embeddings_are_resampled_bicubically_and_left_alone_at_the_native_size():
    embeddings = small_vit().embeddings
    ramp = torch.arange(4.0)[None, :].expand(4, 4).reshape(1, 16, 1).expand(1, 16, 12)
    with torch.no_grad():
        embeddings.position_embeddings[:, 1:] = ramp
    with torch.inference_mode():
        assert torch.equal(embeddings._positions(4, 4), ramp)
        wide = embeddings._positions(4, 8)[0, :, 0].reshape(4, 8).numpy()
    assert np.all(np.diff(wide, axis=1) > 0)
    np.testing.assert_allclose(wide, np.tile(wide[:1], (4, 1)), atol=1e-6)
    # A quarter of the way from 1 to 2, weights of the cubic kernel with a = -0.75 on the ramp 0, 1, 2, 3.
    between = 0.87890625 * 1 + 0.26171875 * 2 - 0.03515625 * 3
    np.testing.assert_allclose(wide[0, 3:5], [between, 3 - between], atol=1e-6)


def test_registers_stand_between_cls_and_the_spatial_tokens_and_change_them():
    torch.manual_seed(1)
    images = torch.randn(1, 3, 64, 64)
    model = small_vit(registers=3)
    with torch.inference_mode():
        tokens = model(images)
        assert tokens.shape == (1, 1 + 3 + 16, 12)
        model.embeddings.register_position_embeddings += torch.randn(1, 3, 12)
        assert (model(images)[:, 4:] - tokens[:, 4:]).abs().max() > 1e-5


def test_a_block_is_pre_norm_attention_and_exact_gelu():
    block = small_vit().encoder.layer[0]
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    tokens = torch.randn(1, 5, 12)
    attention = block.attention.attention
    with torch.inference_mode():
        x = tokens.double()
        linear = torch.nn.functional.linear

        def dense(values, layer):
            return linear(values, layer.weight.double(), layer.bias.double())

        def norm(values, layer):
            centred = values - values.mean(-1, keepdim=True)
            scaled = centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + 1e-12)
            return scaled * layer.weight.double() + layer.bias.double()

        normed = norm(x, block.layernorm_before)
        query, key, value = (
            dense(normed, layer).reshape(5, 3, 4).permute(1, 0, 2)
            for layer in (attention.query, attention.key, attention.value)
        )
        weights = torch.softmax(query @ key.transpose(1, 2) / 2.0, dim=-1)
        attended = (weights @ value).permute(1, 0, 2).reshape(1, 5, 12)
        x = x + dense(attended, block.attention.output.dense)
        hidden = dense(norm(x, block.layernorm_after), block.intermediate.dense)
        hidden = hidden * 0.5 * (1 + torch.erf(hidden / 2**0.5))
        expected = x + dense(hidden, block.output.dense)
        assert (block(tokens) - expected).abs().max() < 1e-5


GRIDS = [(7, 7), (14, 14), (16, 16), (19, 19), (28, 28), (37, 37), (24, 32), (64, 64)]


@pytest.mark.parametrize("grid", GRIDS)
def test_a_head_reaches_any_grid_with_the_teachers_width(grid):
    translator = Translator(12, {"some/teacher": FeatureSize(20, *grid)}).eval()
    with torch.inference_mode():
        features = translator(torch.randn(2, 196, 12))["some/teacher"]
    assert features.shape == (2, grid[0] * grid[1], 20)


def test_translators_refuse_tokens_of_another_resolution():
    translator = Translator(12, {"t": FeatureSize(20, 16, 16)})
    with pytest.raises(TheiaError, match="not 256 tokens"):
        translator(torch.zeros(1, 256, 12))


def test_an_impossible_backbone_is_refused():
    with pytest.raises(TheiaError, match="multiple of the heads"):
        VitConfig(width=10, heads=3, mlp=20)
    with pytest.raises(TheiaError, match="100x100"):
        VitConfig(width=12, heads=3, mlp=24, image_size=100)


@pytest.mark.parametrize("grid", [(14, 14), (28, 28), (7, 7)])
def test_a_linear_head_resamples_the_tokens_and_projects_them_once(grid):
    translator = Translator(12, {"t": FeatureSize(20, *grid)}, "linear").eval()
    layers = [module for module in translator.modules() if list(module.parameters(recurse=False))]
    assert [type(layer) for layer in layers] == [torch.nn.Linear]
    tokens = torch.arange(14.0).repeat(14)[None, :, None].expand(1, 196, 12)
    with torch.inference_mode():
        features = translator(tokens)["t"].reshape(*grid, 20)
        linear = layers[0]
        slope = linear.weight.sum(1)
    # A ramp over the columns stays a ramp: 14 columns are spread over the grid's.
    step = 14 / grid[1]
    middle = grid[1] // 2
    found = features[0, middle] - features[0, middle - 1]
    assert torch.allclose(found, slope * step, atol=1e-4)
    if grid == (14, 14):
        assert torch.allclose(features[3, 5], 5 * slope + linear.bias, atol=1e-5)


def test_a_sub_pixel_head_reads_each_cell_from_the_token_over_it():
    translator = Translator(12, {"t": FeatureSize(5, 28, 28)}, "sub_pixel").eval()
    tokens = torch.randn(1, 196, 12)
    with torch.inference_mode():
        before = translator(tokens)["t"].reshape(28, 28, 5)
        tokens[0, 3 * 14 + 4] += 1.0
        after = translator(tokens)["t"].reshape(28, 28, 5)
    changed = (before != after).any(-1)
    assert changed[6:8, 8:10].all() and changed.sum() == 4
    linear = translator.translator_heads["t"].adapter[2]
    assert linear.out_features == 5 * 4 and not torch.allclose(after[6, 8], after[7, 9])


def test_a_sub_pixel_head_resamples_where_cells_do_not_fit():
    translator = Translator(12, {"t": FeatureSize(5, 16, 16)}, "sub_pixel").eval()
    linear = Translator(12, {"t": FeatureSize(5, 16, 16)}, "linear").eval()
    linear.load_state_dict(translator.state_dict())
    tokens = torch.randn(2, 196, 12)
    with torch.inference_mode():
        assert torch.equal(translator(tokens)["t"], linear(tokens)["t"])
