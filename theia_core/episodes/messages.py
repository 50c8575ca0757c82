"""The ROS 2 messages of an episode, without ROS: definitions, CDR and schemas, through rosbags."""

from functools import lru_cache
from typing import Any

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from theia_core.episodes.definitions import DEFINITIONS
from theia_core.errors import TheiaError


@lru_cache(maxsize=1)
def typestore() -> Typestore:
    """ROS 2 Kilted's messages and those of theia_msgs."""
    store = get_typestore(Stores.ROS2_KILTED)
    types: dict[str, Any] = {}
    for name, text in DEFINITIONS.items():
        types.update(get_types_from_msg(text, name))
    store.register(types)
    return store


@lru_cache(maxsize=64)
def schema_text(msgtype: str) -> str:
    """Definition of a message with everything nested in it, in MCAP's `ros2msg` form.

    Raises:
        TheiaError: if the message is unknown.
    """
    _check_known(msgtype)
    return typestore().generate_msgdef(msgtype, ros_version=2)[0]


@lru_cache(maxsize=64)
def type_hash(msgtype: str) -> str:
    """Type hash of a message as ROS 2 computes it, "RIHS01_...".

    Raises:
        TheiaError: if the message is unknown.
    """
    _check_known(msgtype)
    return typestore().hash_rihs01(msgtype)


@lru_cache(maxsize=64)
def reader_of(msgtype: str, schema: str) -> Typestore:
    """A typestore that decodes `msgtype` as the recording defined it, whatever it is today."""
    if is_known(msgtype) and schema == schema_text(msgtype):
        return typestore()
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(schema, msgtype))
    return store


def message(msgtype: str, **fields: Any) -> Any:
    """A message from its fields; nested messages are made with this function too."""
    _check_known(msgtype)
    return typestore().types[msgtype](**fields)


def header(stamp_s: float, frame_id: str = "") -> Any:
    """std_msgs/Header."""
    return message("std_msgs/msg/Header", stamp=time_message(to_ns(stamp_s)), frame_id=frame_id)


def time_message(stamp_ns: int) -> Any:
    """builtin_interfaces/Time."""
    sec, nanosec = divmod(stamp_ns, 1_000_000_000)
    return message("builtin_interfaces/msg/Time", sec=sec, nanosec=nanosec)


def to_ns(stamp_s: float) -> int:
    """Seconds to the nearest nanosecond."""
    return round(stamp_s * 1e9)


def stamp_s(decoded: Any) -> float:
    """Header stamp of a decoded message, seconds."""
    stamp = decoded.header.stamp
    return stamp.sec + stamp.nanosec * 1e-9


def is_known(msgtype: str) -> bool:
    """Whether a type is a standard or a theia_msgs one."""
    return msgtype in typestore().types


def _check_known(msgtype: str) -> None:
    if not is_known(msgtype):
        raise TheiaError(
            f"cannot record {msgtype!r}: its definition is unknown; "
            "name a standard or theia_msgs type as package/msg/Name"
        )
