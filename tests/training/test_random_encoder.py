"""The untrained baseline is the same for the same seed, and an encoder like any other."""

import numpy as np
import pytest

# ruff: noqa: E402
torch = pytest.importorskip("torch")

from theia_core.encoders import load_encoder
from theia_training.random_encoder import main

FRAMES = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)


def test_the_seed_decides_the_weights_and_the_callers_generator_is_left_alone(tmp_path, capsys):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert main([str(tmp_path / name), "--seed", str(seed)]) == 0
    assert torch.equal(torch.random.get_rng_state(), before)
    first, second, other = capsys.readouterr().out.split()
    assert first == second
    assert first.startswith("random-vit-tiny@") and other.startswith("random-vit-tiny-seed1@")
    assert first.partition("@")[2] != other.partition("@")[2]


def test_its_tokens_are_finite_in_half_precision_and_differ_between_pictures(tmp_path):
    assert main([str(tmp_path), "--size", "tiny", "--registers", "1"]) == 0
    tokens = load_encoder(tmp_path, threads=1).encode(FRAMES)
    assert tokens.shape == (2, 196, 192)
    assert np.isfinite(tokens.astype(np.float16)).all()
    assert np.abs(tokens[0] - tokens[1]).max() > 0.1


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main([str(tmp_path / "file" / "folder")]) == 2
    assert "cannot write a checkpoint" in capsys.readouterr().err
