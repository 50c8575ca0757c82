"""Probing tells good features from noise, with intervals that mean something."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from theia_core.analysis.probing import ProbeConfig, Scores, choose_penalty, probe, resampled_interval
from theia_core.errors import TheiaError


def labelled(sources_per_class=12, classes=3, crops=2, seed=0):
    """Vectors that know the class, vectors that know the source only, and noise."""
    random = np.random.default_rng(seed)
    labels, sources, good, memory = [], [], [], []
    centres = random.normal(size=(classes, 8))
    for label in range(classes):
        for number in range(sources_per_class):
            mark = random.normal(size=8)
            for _ in range(crops):
                labels.append(f"class{label}")
                sources.append(f"{label}-{number}")
                good.append(centres[label] + 0.3 * random.normal(size=8))
                memory.append(mark + 0.01 * random.normal(size=8))
    return np.array(good), np.array(memory), labels, sources


def test_features_that_know_the_class_score_and_those_that_know_the_photograph_do_not():
    good, memory, labels, sources = labelled()
    found = probe({"good": good, "memory": memory}, labels, sources, ProbeConfig(seeds=5))
    for method in ("k-NN", "linear"):
        assert found["good"][method].mean > 0.95
        assert found["memory"][method].mean < 0.6
        difference, low, _ = found["good"][method].difference(found["memory"][method])
        assert low > 0
        assert difference == pytest.approx(found["good"][method].mean - found["memory"][method].mean)
        np.testing.assert_allclose(found["good"][method].confusion.sum(axis=1), 1)


def test_an_encoder_compared_with_itself_differs_by_nothing():
    good, _, labels, sources = labelled(sources_per_class=5)
    found = probe({"a": good, "b": good.copy()}, labels, sources, ProbeConfig(seeds=3))
    assert found["a"]["linear"].difference(found["b"]["linear"]) == (0, 0, 0)


def test_without_overlap_the_interval_is_students_and_overlap_widens_it():
    values = np.array([0.7, 0.8, 0.75, 0.9])
    expected = ttest_1samp(values, 0).confidence_interval(0.95)
    assert resampled_interval(values, 0.0) == pytest.approx((expected.low, expected.high))
    low, high = resampled_interval(values, 3 / 7)
    ratio = (high - low) / (expected.high - expected.low)
    assert ratio == pytest.approx(np.sqrt((1 / 4 + 3 / 7) / (1 / 4)))


def test_intervals_stay_within_what_an_accuracy_can_be():
    scores = Scores(np.array([1.0, 0.6, 1.0]), 0.5, np.eye(2))
    assert scores.interval()[1] == 1.0


def test_the_penalty_is_chosen_on_training_sources_alone_and_needs_two_of_them():
    good, _, labels, sources = labelled(sources_per_class=4)
    classes = np.array([int(label[-1]) for label in labels])
    assert choose_penalty(good, classes, sources, 0) in (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    assert choose_penalty(good[::8], classes[::8], sources[::8], 0) == 1e-2


@pytest.mark.parametrize(
    ("values", "complaint"),
    [({"seeds": 1}, "seeds is 1"), ({"test_share": 1.5}, r"test_share is 1\.5"), ({"k": 0}, "k is 0")],
)
def test_impossible_probes_are_refused(values, complaint):
    with pytest.raises(TheiaError, match=complaint):
        ProbeConfig(**values)


def test_broken_vectors_are_refused_by_the_name_of_their_encoder():
    good, _, labels, sources = labelled(sources_per_class=3)
    good[3, 2] = np.nan
    with pytest.raises(TheiaError, match="features of broken are not finite"):
        probe({"broken": good}, labels, sources, ProbeConfig(seeds=2))
