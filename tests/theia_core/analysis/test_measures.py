"""The table of measures says what the single measures say."""

import json

import numpy as np
import pytest

from theia_core.analysis.measures import EXPLANATIONS, measure_tokens
from theia_core.errors import TheiaError


def test_measures_of_known_tokens():
    tokens = np.zeros((2, 4, 3))
    tokens[0, :, 0] = [1, 1, 1, 1]
    tokens[1, :, 1] = [1, 1, 1, 3]
    found = measure_tokens(tokens)
    assert (found.images, found.tokens, found.channels) == (2, 4, 3)
    assert found.norm_median == 1
    assert found.outlier_rate == pytest.approx(1 / 8)
    assert found.norm_entropy_nats == pytest.approx(-(7 / 8 * np.log(7 / 8) + 1 / 8 * np.log(1 / 8)))
    assert found.cosine_to_mean == pytest.approx(1)
    # Covariance [[0.25, -0.375], [-0.375, 0.9375]] along the two channels that vary.
    largest = (1.1875 + np.sqrt(1.1875**2 - 4 * 0.09375)) / 2
    assert found.pca_first == pytest.approx(largest / 1.1875)
    assert found.pca_components_90 == 1


def test_measures_are_plain_json_and_every_row_can_be_shown():
    found = measure_tokens(np.random.default_rng(0).normal(size=(3, 16, 8)).astype(np.float16))
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()
    assert all(row.show(found) and row.meaning.endswith(".") for row in EXPLANATIONS)


def test_tokens_that_are_not_finite_are_refused():
    with pytest.raises(TheiaError, match="not finite"):
        measure_tokens(np.full((1, 4, 2), np.nan))
