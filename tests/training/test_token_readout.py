"""What a linear map from single tokens explains."""

import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_training.token_readout import cells, explained, main

RNG = np.random.default_rng(0)
TRAIN = np.arange(12) < 9


def test_a_linear_function_of_single_tokens_is_explained_and_noise_is_not():
    seen = RNG.normal(size=(12, 196, 6))
    place = RNG.normal(size=(196, 3))
    assert explained(seen, seen @ RNG.normal(size=(6, 3)) + place, TRAIN) > 0.99
    assert explained(seen, RNG.normal(size=(12, 196, 3)) + 5 * place, TRAIN) < 0.01
    half = seen @ RNG.normal(size=(6, 3))
    half += half.std() * RNG.normal(size=half.shape)
    assert 0.4 < explained(seen, half, TRAIN) < 0.6


def test_what_a_neighbour_holds_is_not_in_the_token():
    seen = RNG.normal(size=(12, 196, 6))
    assert explained(seen, np.roll(seen, 1, axis=1), TRAIN) < 0.05


def test_finer_cells_are_gathered_under_their_token():
    fine = np.arange(28 * 28).reshape(1, 28 * 28, 1)
    gathered = cells(fine)
    assert gathered.shape == (1, 196, 4)
    assert gathered[0, 14 + 2].tolist() == [2 * 28 + 4, 2 * 28 + 5, 3 * 28 + 4, 3 * 28 + 5]
    with pytest.raises(TheiaError, match="256 tokens are no grid of a multiple of 14x14"):
        cells(np.zeros((1, 256, 3)))


def test_bad_arguments_end_with_one_sentence(tmp_path, capsys):
    assert main([str(tmp_path / "no"), "--from", "theia-tiny", "--to", "theia-tiny"]) == 2
    assert "there is no" in capsys.readouterr().err
    with pytest.raises(TheiaError, match="all images are of one source"):
        explained(np.zeros((4, 196, 2)), np.zeros((4, 196, 2)), np.ones(4, bool))
