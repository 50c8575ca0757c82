"""How well frozen features tell classes apart: repeated random splits by source, with an interval."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student_t

from theia_core.analysis.classifiers import PENALTIES, LinearProbe, class_mean_accuracy, nearest_neighbours
from theia_core.analysis.source_split import split_by_source
from theia_core.errors import TheiaError

METHODS = ("k-NN", "linear")


@dataclass(frozen=True)
class ProbeConfig:
    """How encoders are probed.

    Attributes:
        seeds: random splits.
        test_share: share of each class's sources that is tested.
        k: neighbours that vote.
    """

    seeds: int = 10
    test_share: float = 0.3
    k: int = 10

    def __post_init__(self) -> None:
        """Refuse what gives no interval."""
        if self.seeds < 2:
            raise TheiaError(f"seeds is {self.seeds}; an interval needs two random splits at least")
        if not 0 < self.test_share < 1:
            raise TheiaError(f"test_share is {self.test_share}; give a share between 0 and 1, such as 0.3")
        if self.k < 1:
            raise TheiaError(f"k is {self.k}; let at least 1 neighbour vote")


@dataclass(frozen=True)
class Scores:
    """Class-mean accuracies of one encoder by one method.

    Attributes:
        values: (seeds,) one per random split; the same splits for every encoder.
        test_to_train: mean ratio of test to training images.
        confusion: (classes, classes) float64, row: true class, column: share of its test images that were
            taken for each class, over all splits.
    """

    values: np.ndarray
    test_to_train: float
    confusion: np.ndarray

    @property
    def mean(self) -> float:
        """Mean over the splits."""
        return float(self.values.mean())

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Interval of the mean, within 0 to 1."""
        low, high = resampled_interval(self.values, self.test_to_train, confidence)
        return max(low, 0.0), min(high, 1.0)

    def difference(self, other: "Scores", confidence: float = 0.95) -> tuple[float, float, float]:
        """Mean and interval of this minus `other`, split by split."""
        differences = self.values - other.values
        low, high = resampled_interval(differences, self.test_to_train, confidence)
        return float(differences.mean()), low, high


def resampled_interval(
    values: np.ndarray, test_to_train: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Student's t interval of a mean over random splits of one data set.

    Splits share images, so their scores are not independent; the variance of the mean is taken as
    (1/n + test/train) times that of the scores (Nadeau and Bengio 2003).

    Args:
        values: (n,) scores, n at least 2.
        test_to_train: ratio of test to training images.
        confidence: nominal coverage.
    """
    n = len(values)
    spread = float(np.std(values, ddof=1)) * float(np.sqrt(1 / n + test_to_train))
    half = float(student_t.ppf(0.5 + confidence / 2, n - 1)) * spread
    return float(values.mean()) - half, float(values.mean()) + half


def probe(
    features: Mapping[str, np.ndarray],
    labels: Sequence[str],
    sources: Sequence[str],
    config: ProbeConfig,
    on_split: Callable[[], None] = lambda: None,
) -> dict[str, dict[str, Scores]]:
    """Score every encoder on the same random splits.

    Args:
        features: encoder -> (B, d) one vector per image.
        labels: (B,) class of each image.
        sources: (B,) photograph or scene that each image was cut from.
        config: how to probe.
        on_split: called after each split.

    Returns:
        Encoder -> method of `METHODS` -> scores.

    Raises:
        TheiaError: if the images cannot be split (`source_split`), or vectors are not finite.
    """
    for name, vectors in features.items():
        if not np.isfinite(vectors).all():
            raise TheiaError(f"features of {name} are not finite; look at the encoder, nothing can be learnt")
    names = sorted(set(labels))
    classes = np.array([names.index(label) for label in labels])
    splits = [split_by_source(labels, sources, config.test_share, seed) for seed in range(config.seeds)]
    collected: dict[tuple[str, str], list[float]] = {}
    confusion = {(name, m): np.zeros((len(names), len(names))) for name in features for m in METHODS}
    for seed, test in enumerate(splits):
        train_sources = [source for source, held in zip(sources, test, strict=True) if not held]
        for name, vectors in features.items():
            train, train_classes = vectors[~test], classes[~test]
            penalty = choose_penalty(train, train_classes, train_sources, seed)
            answers = {
                "k-NN": nearest_neighbours(train, train_classes, vectors[test], config.k),
                "linear": LinearProbe(train, train_classes, penalty).predict(vectors[test]),
            }
            for method, answer in answers.items():
                collected.setdefault((name, method), []).append(class_mean_accuracy(answer, classes[test]))
                np.add.at(confusion[name, method], (classes[test], answer), 1)
        on_split()
    ratio = float(np.mean([test.sum() / (~test).sum() for test in splits]))
    return {
        name: {
            method: Scores(
                np.array(collected[name, method]),
                ratio,
                confusion[name, method] / confusion[name, method].sum(axis=1, keepdims=True),
            )
            for method in METHODS
        }
        for name in features
    }


def choose_penalty(train: np.ndarray, classes: np.ndarray, sources: Sequence[str], seed: int) -> float:
    """Penalty of the linear probe by one inner split of the training images, again by source.

    The strongest of the best ones is taken. Where a class has one training source only, there is no inner
    split, and the middle of `PENALTIES` is taken.
    """
    try:
        inner = split_by_source([str(c) for c in classes], sources, 0.3, seed)
    except TheiaError:
        return PENALTIES[len(PENALTIES) // 2]
    scores = [
        class_mean_accuracy(
            LinearProbe(train[~inner], classes[~inner], penalty).predict(train[inner]), classes[inner]
        )
        for penalty in PENALTIES
    ]
    return max(zip(scores, PENALTIES, strict=True))[1]
