"""Temporal ensembling: the actions that overlapping predictions have for the same step, averaged.

The weights are those of ACT (Zhao et al. 2023, "Learning Fine-Grained Bimanual Manipulation with Low-Cost
Hardware", section IV-D): exp(-m i), i = 0 for the oldest prediction.

What is averaged are deltas, as the policy gives them, and not the poses that they lead to. A delta is where
the setpoint should go during one step, along the axes of base_link, so the deltas that several predictions
have for one step are several opinions on one number, and to average them needs no pose. Poses would need
the setpoint that each prediction started from, and would pull the arm back to plans that it has left, after
a refused action for instance. The price: an old prediction does not know what the arm did since. If the
newer ones closed the distance sooner than it foresaw, its deltas still ask for more, and the average
overshoots where an average of poses would not. The last step of one prediction counts for one step only, so
this is bounded by the horizon.

The mean of Euler angles is not the mean rotation. For two sets of angles that differ by a vector d the
error is of second order, about |d|^2 / 14: below 0.06 rad where the two lie at opposite ends of the guard's
limit of 0.25 rad per axis, below 0.001 rad for the 0.03 rad of a usual step.

The gripper is not averaged: the newest prediction decides. It is a decision with two outcomes, and the mean
of open and closed is a value that no prediction meant. A majority would also close the fingers up to half a
horizon (a second) after the deltas made for closed fingers have begun. Against flicker there is the guard's
hysteresis, which the newest value passes through as in every other mode.
"""

from collections.abc import Sequence

import numpy as np

from theia_core.actions.chunks import ActionChunk
from theia_core.actions.spaces import EE_DELTA

_CONTINUOUS = np.array([label != "gripper" for label in EE_DELTA.labels])


def ensemble_weights(ages: np.ndarray, m: float) -> np.ndarray:
    """Weights of predictions, which sum to 1.

    Args:
        ages: (P,) steps by which each prediction is older than the newest.
        m: decay; one that is i steps newer than the oldest weighs exp(-m i) times as much.

    Returns:
        (P,) float64.
    """
    exponents = m * np.asarray(ages, dtype=np.float64)  # exp(-m (oldest - age)), up to a common factor
    weights = np.exp(exponents - exponents.max())
    return weights / weights.sum()


def ensembled(predictions: Sequence[ActionChunk], first: int, m: float) -> np.ndarray:
    """Actions from the newest prediction's action `first` on, averaged with those due at the same steps.

    Action i of a prediction is due at its `stamp_s + i * dt_s`. Two actions count as due at the same step if
    these times differ by less than half a step, since stamps are those of camera frames.

    Args:
        predictions: `ee_delta` predictions in the order of their stamps, the newest last.
        first: index in the newest prediction.
        m: decay of the weights.

    Returns:
        (H - first, 7) float32; the gripper's values are the newest prediction's.
    """
    newest = predictions[-1]
    ages = [round((newest.stamp_s - prediction.stamp_s) / newest.dt_s) for prediction in predictions]
    actions = newest.actions[first:].astype(np.float64)
    for place, action in enumerate(actions):
        step = first + place
        due = [
            (age, p.actions[step + age])
            for age, p in zip(ages, predictions, strict=True)
            if step + age < p.horizon
        ]
        weights = ensemble_weights(np.array([age for age, _ in due]), m)
        opinions = np.array([opinion for _, opinion in due], dtype=np.float64)
        action[_CONTINUOUS] = weights @ opinions[:, _CONTINUOUS]
    return actions.astype(np.float32)
