"""Shipped encoders load without torch, are what their hash says and see what is in the picture."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from theia_core.encoders import list_encoders, load_encoder
from theia_core.encoders.registry import shipped_folder
from theia_core.errors import TheiaError

NAME = "efficientnet-lite2-s16"


@pytest.fixture(scope="module")
def encoder():
    return load_encoder(NAME, threads=1)


def picture(x=320, y=240):
    """A red square on a grey gradient, centred at pixel (x, y)."""
    frame = np.repeat(np.linspace(80, 160, 640).astype(np.uint8)[None, :, None], 480, 0).repeat(3, 2)
    frame[y - 40 : y + 40, x - 40 : x + 40] = (200, 30, 30)
    return frame


def test_encode_gives_one_token_per_grid_cell_whatever_the_camera_resolution(encoder):
    tokens = encoder.encode(np.stack([picture(), picture(200)]))
    assert tokens.shape == (2, 196, 120)
    assert tokens.dtype == np.float32
    assert encoder.encode(np.zeros((100, 50, 3), np.uint8)).shape == (1, 196, 120)


def test_tokens_are_row_major_a_square_changes_the_tokens_where_it_is(encoder):
    empty = np.repeat(np.linspace(80, 160, 640).astype(np.uint8)[None, :, None], 480, 0).repeat(3, 2)
    change = np.linalg.norm(encoder.encode(picture(500, 120)) - encoder.encode(empty), axis=2).reshape(14, 14)
    row, column = np.unravel_index(change.argmax(), change.shape)
    assert abs(row - 120 / 480 * 14) < 2
    assert abs(column - 500 / 640 * 14) < 2


def test_a_batch_gives_the_same_tokens_as_its_frames_alone(encoder):
    frames = np.stack([picture(), picture(100)])
    np.testing.assert_array_equal(encoder.encode(frames)[1], encoder.encode(frames[1])[0])


def test_reductions_agree_with_the_spatial_tokens(encoder):
    tokens = encoder.encode(picture())
    np.testing.assert_array_equal(encoder.encode(picture(), reduce="spatial"), tokens)
    np.testing.assert_allclose(encoder.encode(picture(), reduce="mean"), tokens.mean(1), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(encoder.encode(picture(), reduce="max"), tokens.max(1))
    with pytest.raises(TheiaError, match="no CLS token"):
        encoder.encode(picture(), reduce="cls")
    with pytest.raises(TheiaError, match="median"):
        encoder.encode(picture(), reduce="median")


def test_every_shipped_encoder_encodes_to_its_own_description():
    for spec in list_encoders():
        loaded = load_encoder(spec.name)
        assert loaded.encoder_id.startswith(f"{spec.name}@")
        assert loaded.encode(picture()).shape == (1, spec.tokens, spec.channels)
        assert (shipped_folder() / spec.name / "README.md").read_text().count(loaded.encoder_id) == 1


def test_encoding_needs_neither_torch_nor_onnx():
    code = (
        "import sys, numpy\n"
        "from theia_core.encoders import load_encoder\n"
        f"load_encoder({NAME!r}).encode(numpy.zeros((480, 640, 3), numpy.uint8))\n"
        "sys.exit(bool({'torch', 'onnx'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_exported_network_recorded_a_close_parity_with_torch():
    import json

    parity = json.loads((shipped_folder() / NAME / "encoder.json").read_text())["parity_with_torch"]
    assert parity["cosine_min"] > 0.9999
    assert parity["max_abs"] < 0.05 * parity["token_std"]


def test_weights_that_differ_from_the_recorded_hash_are_refused(tmp_path):
    shutil.copytree(shipped_folder() / NAME, tmp_path / "copy")
    assert load_encoder(tmp_path / "copy").spec.name == NAME
    weights = tmp_path / "copy" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(TheiaError, match="sha256"):
        load_encoder(tmp_path / "copy")


def test_unknown_names_folders_and_runtimes_are_refused_with_what_exists(tmp_path):
    with pytest.raises(TheiaError, match=NAME):
        load_encoder("resnet-18")
    with pytest.raises(TheiaError, match="holds no encoder"):
        load_encoder(tmp_path)
    with pytest.raises(TheiaError, match="tensorrt"):
        load_encoder(NAME, runtime="tensorrt")
    with pytest.raises(TheiaError, match="does not run on torch"):
        load_encoder(NAME, runtime="torch")
    (tmp_path / "encoder.json").write_text('{"name": "x"}')
    with pytest.raises(TheiaError, match="lacks the entry 'grid'"):
        load_encoder(tmp_path)
