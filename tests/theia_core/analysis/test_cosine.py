"""Cosines of tokens, and of predicted and true features."""

import numpy as np
import pytest

from theia_core.analysis.cosine import cosine_to_mean, feature_cosines, token_cosine
from theia_core.errors import TheiaError


def test_cosine_of_known_angles_and_of_a_zero_vector():
    first = np.array([[1.0, 0], [1.0, 1.0], [2.0, 0], [0, 0]])
    second = np.array([[0, 3.0], [1.0, 0], [-5.0, 0], [1.0, 1.0]])
    np.testing.assert_allclose(token_cosine(first, second), [0, np.sqrt(0.5), -1, 0], atol=1e-12)


def test_tokens_are_compared_with_the_mean_of_their_own_image():
    tokens = np.array([[[1.0, 0], [0, 1.0]], [[0, 5.0], [0, 1.0]]])
    np.testing.assert_allclose(cosine_to_mean(tokens), [[np.sqrt(0.5)] * 2, [1, 1]])


def test_a_perfect_prediction_has_cosine_one_whatever_its_scale():
    true = np.random.default_rng(0).normal(size=(2, 9, 4))
    cosine, centred = feature_cosines(3 * true, true)
    np.testing.assert_allclose(cosine, 1)
    np.testing.assert_allclose(centred, 1)


def test_predicting_each_images_mean_shows_in_the_plain_cosine_only():
    random = np.random.default_rng(0)
    means = random.normal(size=(5, 1, 16))
    true = means + 0.3 * random.normal(size=(5, 49, 16))
    predicted = np.broadcast_to(true.mean(axis=1, keepdims=True), true.shape)
    cosine, centred = feature_cosines(predicted, true)
    assert cosine.mean() > 0.9
    assert abs(centred.mean()) < 1e-6


def test_the_two_cosines_are_those_of_validation_during_distillation():
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 3, 10, 6)).astype(np.float32)
    cosine, centred = feature_cosines(a, b)
    x, y = torch.from_numpy(a), torch.from_numpy(b)
    similarity = torch.nn.functional.cosine_similarity
    np.testing.assert_allclose(cosine, similarity(x, y, dim=-1), atol=1e-6)
    x, y = x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
    np.testing.assert_allclose(centred, similarity(x, y, dim=-1), atol=1e-6)


def test_features_of_another_shape_are_refused():
    with pytest.raises(TheiaError, match="same teacher"):
        feature_cosines(np.zeros((1, 4, 2)), np.zeros((1, 4, 3)))
