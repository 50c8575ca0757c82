"""Stored feature maps: what they cost and what they lose."""

import pytest
import torch

from theia_core.errors import TheiaError
from theia_training.features.encoding import SCALE, bytes_per_map, decode, encode


def test_eight_bits_lose_at_most_half_a_step_per_channel():
    features = torch.randn(50, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor([1e-3, 1, 50, 0])
    stored = encode("t", features, "u8")
    step = (features.amax(0) - features.amin(0)) / 255
    error = (decode("t", stored) - features).abs()
    assert (error <= step / 2 + 1e-6 * features.abs()).all()
    assert error[:, 3].max() == 0  # a constant channel stays exact


def test_bfloat16_keeps_eight_significant_bits():
    features = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    error = (decode("t", encode("t", features, "bf16")) - features).abs()
    assert (error <= features.abs() * 2**-8).all()
    assert error.max() > 0


def test_a_stack_decodes_like_its_maps():
    maps = torch.randn(3, 7, 5, generator=torch.Generator().manual_seed(1))
    stored = [encode("t", one, "u8") for one in maps]
    stacked = {key: torch.stack([one[key] for one in stored]) for key in ("t", "t" + SCALE)}
    assert torch.equal(decode("t", stacked), torch.stack([decode("t", one) for one in stored]))


@pytest.mark.parametrize("encoding", ["bf16", "u8"])
def test_size_is_known_before(encoding):
    stored = encode("t", torch.randn(196, 12), encoding)
    assert sum(t.numel() * t.element_size() for t in stored.values()) == bytes_per_map(196, 12, encoding)


def test_unknown_encoding_is_refused():
    with pytest.raises(TheiaError, match="choose one of bf16, u8"):
        encode("t", torch.zeros(2, 2), "int4")
