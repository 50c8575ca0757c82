"""Time stamps of messages, and what they are on the monotonic clock that ages are measured with."""

import time
from dataclasses import dataclass

from builtin_interfaces.msg import Time
from rclpy.node import Node

_NS = 1_000_000_000


def to_time(seconds: float) -> Time:
    """A ROS time of `seconds` since the epoch."""
    nanoseconds = round(seconds * _NS)
    return Time(sec=nanoseconds // _NS, nanosec=nanoseconds % _NS)


def to_seconds(stamp: Time) -> float:
    """Seconds since the epoch, exact to a quarter of a microsecond."""
    return stamp.sec + stamp.nanosec * 1e-9


@dataclass(frozen=True)
class Now:
    """The same instant on two clocks.

    Attributes:
        ros_s: ROS time, what headers are stamped with.
        monotonic_s: monotonic clock, which nobody sets.
    """

    ros_s: float
    monotonic_s: float

    @classmethod
    def of(cls, node: Node) -> "Now":
        """This instant, on the clock of `node`."""
        return cls(node.get_clock().now().nanoseconds * 1e-9, time.monotonic())

    def age_s(self, stamp: Time) -> float:
        """How long ago `stamp` was."""
        return self.ros_s - to_seconds(stamp)

    def to_monotonic_s(self, stamp: Time) -> float:
        """`stamp` on the monotonic clock."""
        return self.monotonic_s - self.age_s(stamp)

    def to_stamp(self, monotonic_s: float) -> Time:
        """A time of the monotonic clock as a stamp."""
        return to_time(self.ros_s + monotonic_s - self.monotonic_s)
