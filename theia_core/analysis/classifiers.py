"""Classifiers on frozen features: nearest neighbours and a linear one.

Both see one vector per image. Neither changes the encoder, so they measure what its features already hold.
"""

import numpy as np
from scipy.optimize import minimize

from theia_core.errors import TheiaError

# A neighbour's vote weighs exp(cosine / temperature), as is usual on frozen features (Wu et al. 2018).
TEMPERATURE = 0.07
# Strengths of the linear classifier's penalty that are tried, per training image.
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def nearest_neighbours(train: np.ndarray, labels: np.ndarray, test: np.ndarray, k: int = 20) -> np.ndarray:
    """Class of each test vector by a weighted vote of its `k` nearest training vectors, by cosine.

    Args:
        train: (T, d) training vectors.
        labels: (T,) their classes, integers from 0.
        test: (S, d) test vectors.
        k: voters, at most T.

    Returns:
        (S,) classes; of a tie the lowest.

    Raises:
        TheiaError: if k is below 1.
    """
    if k < 1:
        raise TheiaError(f"k is {k}; let at least 1 neighbour vote")
    cosines = _unit(test) @ _unit(train).T
    count = min(k, len(train))
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
    weights = np.exp((np.take_along_axis(cosines, nearest, axis=1) - 1) / TEMPERATURE)
    votes = np.zeros((len(test), int(labels.max()) + 1))
    np.add.at(votes, (np.arange(len(test))[:, None], labels[nearest]), weights)
    return votes.argmax(axis=1)


class LinearProbe:
    """Multinomial logistic regression on standardised features.

    Standardising by the training vectors is what a batch normalisation without affine parameters does at the
    end of MAE's linear probing. MAE then takes SGD steps on a schedule meant for a million images; here the
    same convex loss, with a small penalty on the weights so that it has one minimum, is minimised by L-BFGS,
    and every class counts as much as any other.
    """

    def __init__(self, train: np.ndarray, labels: np.ndarray, penalty: float) -> None:
        """Fit the probe.

        Args:
            train: (T, d) training vectors.
            labels: (T,) classes, integers from 0.
            penalty: weight of half the squared weights in the mean loss.

        Raises:
            TheiaError: if the penalty is not above zero.
        """
        if not penalty > 0:
            raise TheiaError(f"the penalty is {penalty}; give a value above zero, such as 0.01")
        vectors = np.asarray(train, np.float64)
        self.mean = vectors.mean(axis=0)
        deviation = vectors.std(axis=0)
        # A channel that never changes says nothing, and must not divide by zero.
        self.scale = np.where(
            deviation > 1e-9 * max(deviation.max(), 1e-30), 1 / np.maximum(deviation, 1e-30), 0
        )
        x = (vectors - self.mean) * self.scale
        classes = int(labels.max()) + 1
        target = np.eye(classes)[labels]
        counts = target.sum(axis=0)
        importance = (target / np.maximum(counts, 1)).sum(axis=1) / (counts > 0).sum()

        def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
            weights = flat.reshape(x.shape[1] + 1, classes)
            log_p = _log_softmax(x @ weights[:-1] + weights[-1])
            value = (
                -(importance[:, None] * target * log_p).sum() + penalty / 2 * np.square(weights[:-1]).sum()
            )
            slope = importance[:, None] * (np.exp(log_p) - target)
            gradient = np.concatenate([x.T @ slope + penalty * weights[:-1], slope.sum(axis=0)[None]])
            return float(value), gradient.ravel()

        start = np.zeros((x.shape[1] + 1) * classes)
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500})
        self.weights: np.ndarray = found.x.reshape(x.shape[1] + 1, classes)

    def scores(self, vectors: np.ndarray) -> np.ndarray:
        """Log probability (S, classes) of each class for vectors (S, d)."""
        x = (np.asarray(vectors, np.float64) - self.mean) * self.scale
        return _log_softmax(x @ self.weights[:-1] + self.weights[-1])

    def predict(self, vectors: np.ndarray) -> np.ndarray:
        """Classes (S,) of vectors (S, d)."""
        return self.scores(vectors).argmax(axis=1)


def class_mean_accuracy(predicted: np.ndarray, labels: np.ndarray) -> float:
    """Mean over classes of the share of their images that are right; 1 / classes by chance."""
    right = predicted == labels
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def _unit(vectors: np.ndarray) -> np.ndarray:
    values = np.asarray(vectors, np.float64)
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
