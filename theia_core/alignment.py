"""Which camera frame and which joint state are one observation: the one rule, in recordings and on the robot.

`theia_core.episodes.resample` asks it of a whole recording, the policy node of what has arrived so far; a
test replays a recording through the node and compares.
"""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

Stamps = Sequence[float] | np.ndarray


def align(frame_stamps_s: Stamps, joint_stamps_s: Stamps, time_s: float) -> tuple[int, int]:
    """Indices of the frame and of the joint state that are the observation at a time.

    The frame is the one taken nearest to the time; the joint state is the one measured nearest to that frame,
    which is what the arm did in the picture. For a time at or after the newest frame, as on the robot, it is
    the newest frame.

    Args:
        frame_stamps_s: when frames were taken, ascending, at least one.
        joint_stamps_s: when joint states were measured, ascending, at least one.
        time_s: the time, on the clock of the stamps.
    """
    frame = nearest_index(frame_stamps_s, time_s)
    return frame, nearest_index(joint_stamps_s, float(frame_stamps_s[frame]))


def nearest_index(stamps_s: Stamps, time_s: float) -> int:
    """Index of the stamp nearest to a time in an ascending sequence; the earlier one of two equally near."""
    after = bisect_left(stamps_s, time_s)
    if after == 0:
        return 0
    if after == len(stamps_s):
        return after - 1
    return after if stamps_s[after] - time_s < time_s - stamps_s[after - 1] else after - 1
