"""The robot's clock, which is not that of its clients."""

import time

NS = 1_000_000_000


class RobotClock:
    """The computer's clock plus a skew.

    Attributes:
        skew_s: how far it is ahead; may be changed at any time.
    """

    def __init__(self, skew_s: float = 0.0) -> None:
        """Begin with a skew."""
        self.skew_s = skew_s

    def now_s(self) -> float:
        """Seconds since the epoch by the robot's clock."""
        return time.time() + self.skew_s

    def now_ns(self) -> int:
        """Nanoseconds since the epoch by the robot's clock."""
        return time.time_ns() + round(self.skew_s * NS)
