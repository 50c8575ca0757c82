"""Means and standard deviations by which a policy scales its inputs and outputs."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from theia_core.actions.spaces import ACTION_SPACES
from theia_core.errors import TheiaError

STATE_STD_FLOOR = {
    "wx250s": np.array([0.01] * 6 + [0.001], np.float32),
    "spot_arm": np.array([0.02] * 6 + [0.05] + [0.005] * 3 + [0.02] * 6 + [0.5], np.float32),
}
"""Robot -> smallest scale of its state; a resting joint is no noise.

WidowX: six joints [rad], left finger [m]. Spot: six arm joints [rad], gripper fraction, hand position [m],
hand rotation (6D), whether it holds something.
"""

EE_DELTA_STD_FLOOR = np.array([0.001] * 3 + [0.01] * 3 + [0.5], np.float32)
"""Smallest scale of an `ee_delta` action: [m], [rad], gripper."""

EE_POSE_RANGE_FLOOR = np.array([0.02] * 3 + [0.1] * 6 + [0.5], np.float32)
"""Smallest half range of an `ee_pose` action: [m], rotation (6D), gripper."""

_RANGE_MARGIN = 1.05


@dataclass(frozen=True)
class Scale:
    """x_normalised = (x - mean) / std, both (D,) float32."""

    mean: np.ndarray
    std: np.ndarray

    def __post_init__(self) -> None:
        """Refuse statistics that would make a policy's numbers meaningless."""
        if self.mean.shape != self.std.shape or self.mean.ndim != 1:
            raise TheiaError(
                f"a scale needs two vectors of one length, not {self.mean.shape} and {self.std.shape}"
            )
        if not (np.isfinite(self.mean).all() and np.isfinite(self.std).all() and (self.std > 0).all()):
            raise TheiaError(
                "a scale's mean and std must be finite and std above zero; check the data for NaN"
            )


def scale_of(arrays: Iterable[np.ndarray], floor: np.ndarray | float) -> Scale:
    """Mean and standard deviation over all but the last axis, with `floor` as the least standard deviation.

    Args:
        arrays: arrays (..., D) that share D.
        floor: (D,) or a number, in the data's own unit.

    Raises:
        TheiaError: if there is no data or it is not finite.
    """
    count, total, squares = 0, np.zeros(1), np.zeros(1)
    for array in arrays:
        rows = np.asarray(array, np.float64).reshape(-1, array.shape[-1])
        count += len(rows)
        total, squares = total + rows.sum(0), squares + (rows**2).sum(0)
    if count == 0:
        raise TheiaError("there is no data to take statistics of; give at least one episode")
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - mean**2, 0))
    return Scale(mean.astype(np.float32), np.maximum(std, floor).astype(np.float32))


def range_of(arrays: Iterable[np.ndarray], floor: np.ndarray | float) -> Scale:
    """Middle and half range over all but the last axis, with a margin of 5 %: the data lies within -1..1.

    Args:
        arrays: arrays (..., D) that share D.
        floor: (D,) or a number, the smallest half range, in the data's own unit.

    Raises:
        TheiaError: if there is no data or it is not finite.
    """
    rows = [np.asarray(array, np.float64).reshape(-1, array.shape[-1]) for array in arrays]
    if not sum(map(len, rows)):
        raise TheiaError("there is no data to take statistics of; give at least one episode")
    low = np.min([part.min(0) for part in rows if len(part)], axis=0)
    high = np.max([part.max(0) for part in rows if len(part)], axis=0)
    half = np.maximum(_RANGE_MARGIN * (high - low) / 2, floor)
    return Scale(((low + high) / 2).astype(np.float32), half.astype(np.float32))


def action_scale(actions: Iterable[np.ndarray], space: str = "ee_delta") -> Scale:
    """Scale of actions (..., D), with floors, and the gripper mapped from 0..1 to -1..1 whatever the data.

    Deltas are scaled by their standard deviation, absolute poses by their range. A gripper that is closed in
    95 % of the data would get a tiny standard deviation and with it most of the loss.

    Raises:
        TheiaError: if `space` has no policy support or there is no data.
    """
    if space == "ee_delta":
        scale = scale_of(actions, EE_DELTA_STD_FLOOR)
    elif space == "ee_pose":
        scale = range_of(actions, EE_POSE_RANGE_FLOOR)
    else:
        raise TheiaError(f"action space {space!r} has no normalisation; known are {', '.join(ACTION_SPACES)}")
    scale.mean[-1], scale.std[-1] = 0.5, 0.5
    return scale
