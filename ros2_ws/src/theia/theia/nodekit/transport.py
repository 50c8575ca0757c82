"""The DDS settings that our messages need, in the one place that knows them.

Fast DDS's own defaults lose best-effort messages beyond its 512 kB of shared memory, and a VGA image has
921 kB: of a hundred published, a handful arrives. The LARGE_DATA transports carry them. Discovery stays on
this machine, so that a robot never obeys a policy that a colleague runs on the same network.
"""

import os
from collections.abc import MutableMapping

DEFAULTS = {
    "FASTDDS_BUILTIN_TRANSPORTS": "LARGE_DATA",
    "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
}
# A profile of the user's replaces the transports; ROS_STATIC_PEERS says that other machines are wanted.
_OVERRULED_BY = {
    "FASTDDS_BUILTIN_TRANSPORTS": ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE"),
    "ROS_AUTOMATIC_DISCOVERY_RANGE": ("ROS_LOCALHOST_ONLY", "ROS_STATIC_PEERS"),
}


def apply_transport_defaults(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set what the user has not set; must run before `rclpy.init`, which reads the environment once."""
    for name, value in DEFAULTS.items():
        if not any(other in environment for other in _OVERRULED_BY[name]):
            environment.setdefault(name, value)
