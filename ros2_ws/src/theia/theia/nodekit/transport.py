"""The DDS settings that our messages need, in the one place that knows them.

Fast DDS's own defaults lose best-effort messages beyond its 512 kB of shared memory, and a VGA image has
921 kB. Its LARGE_DATA mode loses them too when the machine is busy and several nodes read them (measured:
with two readers on two busy cores less than a fifth arrived). A shared-memory segment that holds several
images loses none: that is what fastdds.xml sets up.

Discovery stays on this machine, so that a robot never obeys a policy that a colleague runs on the same
network.
"""

import os
from collections.abc import MutableMapping
from pathlib import Path

PROFILE = Path(__file__).with_name("fastdds.xml")
_PROFILE_VARIABLE = "FASTDDS_DEFAULT_PROFILES_FILE"
_PROFILE_VARIABLE_BEFORE = "FASTRTPS_DEFAULT_PROFILES_FILE"  # its name in Fast DDS 2
_WITH_FAST_DDS_2 = ("humble", "iron", "jazzy")
_DISCOVERY = "ROS_AUTOMATIC_DISCOVERY_RANGE"
# What shows that the user has made a choice of their own.
_CHOOSES_TRANSPORT = (_PROFILE_VARIABLE, _PROFILE_VARIABLE_BEFORE, "FASTDDS_BUILTIN_TRANSPORTS")
_CHOOSES_DISCOVERY = (_DISCOVERY, "ROS_LOCALHOST_ONLY", "ROS_STATIC_PEERS")


def apply_transport_defaults(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set what the user has not set; must run before `rclpy.init`, which reads the environment once."""
    if not any(name in environment for name in _CHOOSES_TRANSPORT):
        before = environment.get("ROS_DISTRO") in _WITH_FAST_DDS_2
        environment[_PROFILE_VARIABLE_BEFORE if before else _PROFILE_VARIABLE] = str(PROFILE)
    if not any(name in environment for name in _CHOOSES_DISCOVERY):
        environment[_DISCOVERY] = "LOCALHOST"
