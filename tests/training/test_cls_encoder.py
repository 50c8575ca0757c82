"""The CLS variant of an encoder: what the policy sees is one token, everywhere."""

import numpy as np
import pytest

pytest.importorskip("onnx")

from theia_core.encoders import load_encoder
from theia_training.cls_encoder import main


def test_every_place_has_the_cls_token_of_the_original(tmp_path, capsys):
    assert main(["theia-tiny", str(tmp_path / "cls")]) == 0
    original, cls = load_encoder("theia-tiny", threads=1), load_encoder(tmp_path / "cls", threads=1)
    assert capsys.readouterr().out.strip() == cls.encoder_id and cls.encoder_id != original.encoder_id
    frames = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)
    tokens = cls.encode(frames)
    assert tokens.shape == (2, 196, 192)
    assert np.abs(tokens - original.encode(frames, reduce="cls")[:, None]).max() < 1e-5


def test_an_encoder_without_cls_is_refused(tmp_path, capsys):
    assert main(["efficientnet-lite2-s16", str(tmp_path / "x")]) == 2
    assert "has no CLS token" in capsys.readouterr().err
    assert main(["no_such", str(tmp_path / "x")]) == 2
