"""What can be measured of a recording's streams, while it is made and afterwards."""

from typing import NamedTuple

import cv2
import numpy as np

from theia_core.actions.spaces import motion

# Two pictures closer than this (mean absolute difference, of 255) are one picture: the camera froze.
FROZEN = 0.02
# A picture this much less sharp than the recording's usual one is blurred.
BLURRED = 0.25
DARK = 8.0
# An action that moves the hand by less, per step, is idle [m or rad].
IDLE = 1e-3
# A message's least delay: a camera may take so long to deliver, but nothing comes before it was stamped.
MOST_BEHIND_S, MOST_AHEAD_S = 0.25, 0.05
_LATE = 1.6  # of the usual period: beyond it a frame is missing
_SMALL_WIDTH = 160


class StreamRate(NamedTuple):
    """How regular a stream is.

    Attributes:
        rate_hz: usual rate, from the median period; 0 with fewer than two messages.
        dropped: messages that are missing between the first and the last.
        longest_gap_s: longest time between two.
    """

    rate_hz: float
    dropped: int
    longest_gap_s: float


def stream_rate(stamps_s: np.ndarray, period_s: float | None = None) -> StreamRate:
    """Rate of a stream from its ascending stamps (N,) [s].

    Args:
        stamps_s: when the messages were taken.
        period_s: time between two of them, the median if None.
    """
    gaps_s = np.diff(stamps_s)
    if not len(gaps_s):
        return StreamRate(0.0, 0, 0.0)
    usual_s = float(np.median(gaps_s)) if period_s is None else period_s
    if usual_s <= 0:
        return StreamRate(0.0, 0, float(gaps_s.max()))
    late = gaps_s[gaps_s > _LATE * usual_s]
    return StreamRate(1 / usual_s, int(np.sum(np.round(late / usual_s) - 1)), float(gaps_s.max()))


def small_grey(rgb: np.ndarray) -> np.ndarray:
    """A picture as float32 grey values, at most 160 pixels wide: enough to compare and to judge it."""
    height, width = rgb.shape[:2]
    scale = min(1.0, _SMALL_WIDTH / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) if rgb.ndim == 3 else rgb
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def sharpness(grey: np.ndarray) -> float:
    """Variance of the Laplacian of a picture's grey values; falls when it is blurred or covered."""
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def is_frozen(before: np.ndarray, grey: np.ndarray) -> bool:
    """Whether two pictures, from `small_grey`, are the same one."""
    return before.shape == grey.shape and float(np.abs(before - grey).mean()) < FROZEN


def idle_ends(actions: np.ndarray) -> tuple[int, int]:
    """Steps before the first and after the last that moves arm or gripper, of actions (T, D)."""
    moves = np.abs(motion(actions)).max(axis=1) > IDLE
    moves[1:] |= np.diff(actions[:, -1]) != 0
    moving = np.flatnonzero(moves)
    return (int(moving[0]), int(len(moves) - 1 - moving[-1])) if len(moving) else (len(moves), 0)


def clock_skew_s(stamps_s: np.ndarray, received_s: np.ndarray) -> float:
    """By how much the clock that stamps runs behind (+) or ahead of (-) the one that receives.

    The least delay of all messages, which is a delivery's and the clocks' difference; robust against queues.
    """
    return float(np.min(received_s - stamps_s))
