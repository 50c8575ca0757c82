"""A reduced ViT follows the larger one, exactly where it has room for all of it."""

import numpy as np
import pytest

# ruff: noqa: E402
torch = pytest.importorskip("torch")

from PIL import Image
from safetensors.torch import save_file

from theia_core.encoders.initialise import initialise_from_deit
from theia_core.encoders.vit import Vit, VitConfig
from theia_core.errors import TheiaError
from theia_core.images import Preprocessing
from theia_training import reduce_vit as module
from theia_training.features.manifest import split_of
from theia_training.reduce_vit import calibration_frames, main, reduce_vit

LARGE = VitConfig(width=24, heads=6, mlp=48, image_size=64)
SIZES = {"tiny": VitConfig(12, 3, 24, image_size=64), "small": LARGE}


@pytest.fixture(autouse=True)
def small_sizes(monkeypatch):
    monkeypatch.setattr(module, "SIZES", SIZES)


@pytest.fixture(scope="module")
def source():
    torch.manual_seed(0)
    model = Vit(LARGE).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "layernorm" not in name:
                parameter.mul_(8)
    return model


@pytest.fixture(scope="module")
def images():
    torch.manual_seed(1)
    coarse = torch.rand(48, 3, 8, 8)
    return torch.nn.functional.interpolate(coarse, (64, 64), mode="bilinear") * 2 - 1


def error_to(source, model, images):
    """Share of the source's final tokens, before its last norm, that the other's do not linearly hold."""
    with torch.inference_mode():
        wanted, tokens = (m.encoder(m.embeddings(images)) for m in (source, model))
        return 1 - module._share(wanted, tokens)


def test_a_network_of_the_same_size_becomes_the_same_network(source, images):
    torch.manual_seed(2)
    copy, shares = reduce_vit(source, images, "small", 12)
    assert len(shares) == 12 and min(shares) > 0.97
    assert error_to(source, copy, images) < 0.03


def test_a_smaller_network_holds_far_more_than_a_random_one(source, images):
    torch.manual_seed(2)
    reduced, shares = reduce_vit(source, images[:32], "tiny", 12)
    assert all(0 < share < 1 for share in shares)
    random = Vit(SIZES["tiny"]).eval()
    held_out = images[32:]
    assert error_to(source, reduced, held_out) < 0.8 * error_to(source, random, held_out)


def test_blocks_beyond_the_layers_stay_as_they_were_drawn(source, images):
    torch.manual_seed(3)
    drawn = Vit(SIZES["tiny"])
    torch.manual_seed(3)
    reduced, shares = reduce_vit(source, images[:8], "tiny", 2)
    assert len(shares) == 2
    for index in range(12):
        same = torch.equal(
            reduced.encoder.layer[index].output.dense.weight, drawn.encoder.layer[index].output.dense.weight
        )
        assert same == (index >= 2)


def test_heads_of_another_width_and_impossible_layers_are_refused(images):
    wide = Vit(VitConfig(24, 3, 48, image_size=64))
    for source, layers in ((wide, 12), (Vit(LARGE), 13)):
        with pytest.raises(TheiaError, match="cannot become a tiny"):
            reduce_vit(source, images[:2], "tiny", layers)


def test_calibration_takes_training_sources_once_each(tmp_path):
    for name in range(20):
        for crop in range(2):
            Image.new("RGB", (8, 8), (10 * name, crop, 0)).save(tmp_path / f"p{name}__{crop}.png")
    from theia_training.sources import open_source

    sources = {ref.source for ref in open_source(tmp_path).refs()}
    train = {source for source in sources if split_of(source, 0.5) == "train"}
    assert 0 < len(train) < 20
    frames = calibration_frames([tmp_path], 100, 0.5, seed=0)
    assert frames.shape == (len(train), 224, 224, 3)
    assert len({int(frame[0, 0, 0]) for frame in frames}) == len(train)
    np.testing.assert_array_equal(frames, calibration_frames([tmp_path], 100, 0.5, seed=0))
    with pytest.raises(TheiaError, match="no training image"):
        calibration_frames([tmp_path], 100, 1.0, seed=0)


def test_the_command_writes_a_file_that_initialises_a_backbone_as_it_is(
    tmp_path, source, monkeypatch, capsys
):
    # 64-pixel inputs throughout, for speed.
    monkeypatch.setattr(module, "calibration_frames", lambda *_: np.zeros((2, 64, 64, 3), np.uint8))
    monkeypatch.setattr(module, "Preprocessing", lambda: Preprocessing(64))
    save_file(source.state_dict(), tmp_path / "large.safetensors", {"format": "pt"})
    words = [str(tmp_path / "large.safetensors"), str(tmp_path / "out.safetensors"), "--images", "x"]
    assert main([*words, "--layers", "3", "--threads", "1"]) == 0
    assert "fitted on 2 images" in capsys.readouterr().out
    model = Vit(SIZES["tiny"])
    report = initialise_from_deit(model, tmp_path / "out.safetensors")
    assert report.untouched == () and report.left == ()
    assert main([str(tmp_path / "absent"), *words[1:]]) == 2
