"""The DDS settings that our messages need, in the one place that knows them.

Fast DDS's own defaults lose best-effort messages beyond its 512 kB of shared memory, and a VGA image has
921 kB. Its LARGE_DATA mode loses them too when the machine is busy and several nodes read them (measured:
with two readers on two busy cores less than a fifth arrived). A shared-memory segment that holds several
images loses none: that is what fastdds.xml sets up.

Shared memory has a price: a process that is killed, or starved, may leave a lock in it, and who shares it
waits, for a second or for ever (so Fast DDS issues 5469 and 6484 suggest; seen: after a kill -9 guard, robot
and listener of a bring-up stood still together for a second). A node that must act whatever befalls the
others shares none: fastdds_udp.xml.

Discovery stays on this machine, so that a robot never obeys a policy that a colleague runs on the same
network.
"""

import os
from collections.abc import MutableMapping
from pathlib import Path

PROFILE = Path(__file__).with_name("fastdds.xml")
UDP_PROFILE = Path(__file__).with_name("fastdds_udp.xml")
_PROFILE_VARIABLE = "FASTDDS_DEFAULT_PROFILES_FILE"
_PROFILE_VARIABLE_BEFORE = "FASTRTPS_DEFAULT_PROFILES_FILE"  # its name in Fast DDS 2
_WITH_FAST_DDS_2 = ("humble", "iron", "jazzy")
_DISCOVERY = "ROS_AUTOMATIC_DISCOVERY_RANGE"
_HERE = "LOCALHOST"
# What shows that the user has made a choice of their own.
_CHOOSES_TRANSPORT = (_PROFILE_VARIABLE, _PROFILE_VARIABLE_BEFORE, "FASTDDS_BUILTIN_TRANSPORTS")
_CHOOSES_DISCOVERY = (_DISCOVERY, "ROS_LOCALHOST_ONLY", "ROS_STATIC_PEERS")


def apply_transport_defaults(
    environment: MutableMapping[str, str] = os.environ, *, shared_memory: bool = True
) -> None:
    """Set what the user has not set; must run before `rclpy.init`, which reads the environment once.

    Args:
        environment: what to read and change.
        shared_memory: for nodes that send or receive images; without it no other process can make this wait.
    """
    before = environment.get("ROS_DISTRO") in _WITH_FAST_DDS_2
    variable = _PROFILE_VARIABLE_BEFORE if before else _PROFILE_VARIABLE
    # Our own profile may be inherited from one of our processes: that was nobody's choice.
    transport_is_ours = all(
        environment[name] == str(PROFILE) for name in _CHOOSES_TRANSPORT if name in environment
    )
    if transport_is_ours:
        environment[variable] = str(PROFILE)
    if not any(name in environment for name in _CHOOSES_DISCOVERY):
        environment[_DISCOVERY] = _HERE
    if transport_is_ours and not shared_memory:
        if environment.get(_DISCOVERY) == _HERE:
            # rmw_fastrtps adds shared memory to LOCALHOST; this profile stays on this machine by itself.
            environment |= {variable: str(UDP_PROFILE), _DISCOVERY: "SUBNET"}
        else:
            del environment[variable]
            environment["FASTDDS_BUILTIN_TRANSPORTS"] = "UDPv4"
