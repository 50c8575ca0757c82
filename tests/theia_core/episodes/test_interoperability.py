"""Other people's readers open our files."""

from pathlib import Path

import numpy as np
import pytest
from mcap.reader import make_reader
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from theia_core.episodes.definitions import DEFINITIONS
from theia_core.episodes.messages import header, message, schema_text, type_hash, typestore

SOURCES = Path(__file__).resolve().parents[3] / "ros2_ws/src/theia_msgs/msg"


def test_the_rosbags_reader_opens_an_episode_without_knowing_our_messages(record):
    with AnyReader([record()]) as reader:
        counts = {connection.topic: connection.msgcount for connection in reader.connections}
        assert counts["/theia/executed_action"] == 10
        decoded = [
            (connection.topic, reader.deserialize(data, connection.msgtype))
            for connection, _, data in reader.messages()
        ]
    assert len(decoded) == 31
    first_action = next(message for topic, message in decoded if topic == "/theia/executed_action")
    assert (first_action.horizon, first_action.dim, first_action.action_space) == (1, 7, "ee_delta")
    first_frame = next(message for topic, message in decoded if topic == "/camera/image_raw/compressed")
    assert bytes(first_frame.data[:2]) == b"\xff\xd8"


def test_the_mcap_reader_finds_profile_index_and_schemas_with_their_nested_definitions(record):
    with record().open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True)
        assert reader.get_header().profile == "ros2"
        summary = reader.get_summary()
        assert summary.statistics.message_count == 31
        assert summary.chunk_indexes
        schemas = {schema.name: schema for schema in summary.schemas.values()}
        chunk = schemas["theia_msgs/msg/ActionChunk"]
        assert chunk.encoding == "ros2msg"
        assert b"MSG: std_msgs/Header" in chunk.data
        assert b"MSG: builtin_interfaces/Time" in chunk.data
        assert {channel.message_encoding for channel in summary.channels.values()} == {"cdr"}
        stamps = [m.log_time for _, _, m in reader.iter_messages(topics=["/wx250s/joint_states"])]
    assert stamps == [round(0.2 * step * 1e9) for step in range(10)]


def test_our_type_hashes_are_ros_own():
    # rosidl's hash of std_msgs/msg/String, as `ros2 topic info --verbose` prints it
    assert type_hash("std_msgs/msg/String") == (
        "RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18"
    )


def test_the_library_knows_every_message_of_theia_msgs():
    assert {f"theia_msgs/msg/{path.stem}" for path in SOURCES.glob("*.msg")} == set(DEFINITIONS)


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_our_definitions_are_those_of_theia_msgs(name):
    text = (SOURCES / f"{name.rpartition('/')[2]}.msg").read_text()
    store = get_typestore(Stores.ROS2_KILTED)
    store.register(get_types_from_msg(text, name))
    assert store.hash_rihs01(name) == type_hash(name)
    assert store.generate_msgdef(name, ros_version=2)[0] == schema_text(name)


def test_the_recordings_schemas_can_be_parsed_again():
    for name in DEFINITIONS:
        assert get_types_from_msg(schema_text(name), name)[name] == typestore().fielddefs[name]


def test_ros_itself_reads_what_we_serialise_and_we_read_what_ros_does():
    serialization = pytest.importorskip("rclpy.serialization")
    from sensor_msgs.msg import JointState

    state = message(
        "sensor_msgs/msg/JointState",
        header=header(12.25, "base_link"),
        name=["waist", "left_finger"],
        position=np.array([0.5, 0.03]),
        velocity=np.zeros(0),
        effort=np.array([1.0, 2.0]),
    )
    ours = bytes(typestore().serialize_cdr(state, state.__msgtype__))
    theirs = serialization.deserialize_message(ours, JointState)
    assert (theirs.header.stamp.sec, theirs.header.stamp.nanosec) == (12, 250_000_000)
    assert (list(theirs.name), list(theirs.position)) == (["waist", "left_finger"], [0.5, 0.03])
    # rclpy's serialize_message may leave unused bytes at the end; what DDS delivers has none
    back = typestore().deserialize_cdr(
        serialization.serialize_message(theirs)[: len(ours)], state.__msgtype__
    )
    assert (back.header.frame_id, list(back.position), list(back.effort)) == (
        "base_link",
        [0.5, 0.03],
        [1.0, 2.0],
    )


def test_the_built_theia_msgs_read_our_action_chunks_and_we_read_theirs():
    serialization = pytest.importorskip("rclpy.serialization")
    built = pytest.importorskip("theia_msgs.msg")
    chunk = built.ActionChunk(
        policy_id="door-bc@1", action_space="ee_delta", horizon=1, dim=7, sequence=2**40
    )
    chunk.data.frombytes(np.arange(7, dtype=np.float32).tobytes())
    name = "theia_msgs/msg/ActionChunk"
    back = typestore().deserialize_cdr(serialization.serialize_message(chunk), name)
    assert (back.policy_id, back.sequence, list(back.data)) == ("door-bc@1", 2**40, list(range(7)))
    again = serialization.deserialize_message(bytes(typestore().serialize_cdr(back, name)), built.ActionChunk)
    assert again.data == chunk.data
