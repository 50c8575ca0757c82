"""Quality of service of each kind of topic. Late data is worthless to a controller: streams keep one."""

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy


def _profile(depth: int, reliability: ReliabilityPolicy, durability: DurabilityPolicy) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=reliability, durability=durability
    )


STREAM = _profile(1, ReliabilityPolicy.BEST_EFFORT, DurabilityPolicy.VOLATILE)
"""Images, tokens, joint states, action chunks: the newest message or none."""

DRIVER_COMMAND = _profile(1, ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE)
"""Commands to xs_sdk, whose subscriptions are reliable and would not match a best-effort publisher."""

DRIVER_STATE = _profile(5, ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE)
"""joint_states as xs_sdk offers it."""

STATE = _profile(1, ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL)
"""States that a late subscriber must learn at once, such as the guard's."""

EVENT = _profile(50, ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE)
"""Events of which none may be lost."""

RECORDING = _profile(50, ReliabilityPolicy.BEST_EFFORT, DurabilityPolicy.VOLATILE)
"""Subscriptions that need every message that arrives: of a recorder, of joint states to match with frames."""

RECORDING_SMALL = _profile(1000, ReliabilityPolicy.BEST_EFFORT, DurabilityPolicy.VOLATILE)
"""A recorder's subscriptions to all but images: ten seconds of joint states if its process has to wait."""
