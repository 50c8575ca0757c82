"""Nearest neighbours and the linear probe, against answers that are known."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from theia_core.analysis.classifiers import LinearProbe, class_mean_accuracy, nearest_neighbours
from theia_core.errors import TheiaError


def test_the_nearest_neighbour_is_by_angle_and_not_by_distance():
    train = np.array([[1.0, 0], [0, 100.0]])
    answer = nearest_neighbours(train, np.array([0, 1]), np.array([[50.0, 1], [0.01, 0.02]]), k=1)
    assert answer.tolist() == [0, 1]


def test_close_neighbours_outweigh_a_majority_of_far_ones():
    train = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.1], [-0.1, 1.0]])
    labels = np.array([2, 0, 0, 0])
    assert nearest_neighbours(train, labels, np.array([[1.0, 0.1]]), k=4).tolist() == [2]
    assert nearest_neighbours(train, labels, np.array([[0.1, 1.0]]), k=4).tolist() == [0]


def test_more_neighbours_than_training_images_means_all_of_them():
    train = np.eye(3)
    assert nearest_neighbours(train, np.arange(3), train, k=50).tolist() == [0, 1, 2]


def test_the_probe_separates_classes_that_a_line_separates_whatever_the_scale_of_channels():
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 50)
    centres = np.array([[0, 0], [1, 0], [0, 1.0]])[labels]
    vectors = (centres + random.normal(0, 0.1, (150, 2))) * [1e-4, 1e4] + [5, -7e4]
    dead = np.full((150, 1), 3.0)
    probe = LinearProbe(np.hstack([vectors, dead]), labels, 1e-3)
    assert (probe.predict(np.hstack([vectors, dead])) == labels).mean() > 0.98
    assert np.isfinite(probe.weights).all()
    np.testing.assert_allclose(np.exp(probe.scores(np.hstack([vectors, dead]))).sum(axis=1), 1)


def test_the_probe_is_at_the_minimum_of_its_loss():
    random = np.random.default_rng(0)
    vectors, labels = random.normal(size=(60, 5)), random.integers(0, 3, 60)
    penalty = 0.05
    probe = LinearProbe(vectors, labels, penalty)
    x = (vectors - vectors.mean(0)) / vectors.std(0)
    counts = np.bincount(labels)

    def loss(flat):
        weights = flat.reshape(6, 3)
        logits = x @ weights[:-1] + weights[-1]
        log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        per_image = -log_p[np.arange(60), labels]
        mean = np.mean([per_image[labels == c].mean() for c in range(3)])
        return mean + penalty / 2 * (weights[:-1] ** 2).sum()

    assert counts.min() > 0
    gradient = check_grad(loss, lambda flat: np.zeros_like(flat), probe.weights.ravel())
    assert gradient < 1e-4


def test_a_heavy_penalty_leaves_only_chance():
    random = np.random.default_rng(0)
    probe = LinearProbe(random.normal(size=(40, 3)), np.arange(40) % 2, 1e6)
    np.testing.assert_allclose(np.exp(probe.scores(random.normal(size=(5, 3)))), 0.5, atol=1e-3)


def test_large_classes_do_not_count_more():
    labels = np.array([0] * 98 + [1] * 2)
    assert class_mean_accuracy(np.zeros(100, int), labels) == 0.5


def test_no_neighbour_and_no_penalty_are_refused():
    with pytest.raises(TheiaError, match="k is 0"):
        nearest_neighbours(np.eye(2), np.arange(2), np.eye(2), k=0)
    with pytest.raises(TheiaError, match="penalty is 0"):
        LinearProbe(np.eye(2), np.arange(2), 0.0)
