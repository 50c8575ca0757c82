"""Other people's rosbag2 recordings, in sqlite3 or MCAP, as episodes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.highlevel.anyreader import AnyReaderError
from rosbags.interfaces import Connection
from rosbags.rosbag2 import ReaderError
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from scipy.spatial.transform import Rotation

from theia_core.actions.rotations import euler_from_matrix
from theia_core.alignment import nearest_index
from theia_core.episodes.definitions import DEFINITIONS
from theia_core.episodes.messages import header, message, stamp_s, time_message, to_ns
from theia_core.episodes.recorder import STEP_S, EpisodeRecorder
from theia_core.episodes.topic_map import TopicMap
from theia_core.episodes.topics import COMPRESSED_IMAGE, IMAGE, OBSERVED_JOINTS
from theia_core.errors import TheiaError

DISTROS = {
    "humble": Stores.ROS2_HUMBLE,
    "iron": Stores.ROS2_IRON,
    "jazzy": Stores.ROS2_JAZZY,
    "kilted": Stores.ROS2_KILTED,
}
_IMAGES = {"sensor_msgs/msg/Image": IMAGE, "sensor_msgs/msg/CompressedImage": COMPRESSED_IMAGE}
_ARRAYS = ("std_msgs/msg/Float32MultiArray", "std_msgs/msg/Float64MultiArray")
Pose = tuple[np.ndarray, np.ndarray]


@dataclass
class Imported:
    """What was taken from a bag.

    Attributes:
        path: the new episode.
        frames: camera frames.
        joint_states: joint states.
        actions: actions, given or derived.
    """

    path: Path
    frames: int = 0
    joint_states: int = 0
    actions: int = 0


def import_bag(
    bag: Path,
    topics: TopicMap,
    out: Path,
    fk: Callable[[np.ndarray], Pose],
    finger_range_m: tuple[float, float],
    distro: str = "humble",
) -> Imported:
    """Write one bag as one episode; the bag is only read.

    Args:
        bag: folder of a rosbag2 recording, or a single .mcap.
        topics: where in it what is.
        out: the new episode, ending in .mcap.
        fk: pose of the tool centre point for six joints, where actions come from the arm's motion.
        finger_range_m: our finger's closed and open position.
        distro: distribution whose message definitions apply where the bag does not bring its own (sqlite3).

    Raises:
        TheiaError: if the bag cannot be read, lacks a topic or joint, or the episode exists.
    """
    store = get_typestore(DISTROS[distro])
    types: dict[str, Any] = {}
    for name, text in DEFINITIONS.items():
        types.update(get_types_from_msg(text, name))
    store.register(types)
    metadata = {**topics.metadata, "imported_from": str(bag), "actions_from": topics.actions_from}
    try:
        with AnyReader([bag], default_typestore=store) as reader:
            recorder = EpisodeRecorder(out, metadata)
            try:
                result = _Import(reader, topics, recorder, fk, finger_range_m).run()
                recorder.close()
            except BaseException:
                recorder.discard()
                raise
    except (AnyReaderError, ReaderError, SerdeError, OSError) as error:
        raise TheiaError(f"cannot import {bag}: {error}; give a rosbag2 folder or an .mcap") from error
    return result


class _Import:
    """One bag on its way into one episode."""

    def __init__(
        self,
        reader: AnyReader,
        topics: TopicMap,
        recorder: EpisodeRecorder,
        fk: Callable[[np.ndarray], Pose],
        finger_range_m: tuple[float, float],
    ) -> None:
        self._reader, self._topics, self._recorder = reader, topics, recorder
        self._fk, self._finger_range_m = fk, finger_range_m
        self._joints: list[tuple[float, np.ndarray]] = []
        self._poses: list[tuple[float, Pose]] = []
        self._result = Imported(recorder.path)

    def run(self) -> Imported:
        """Copy everything in the order of the bag, then add the actions that have to be derived."""
        topics, counts = self._topics, self._result
        for connection, time_s, msg in self._messages():
            if connection.topic == topics.image:
                self._image(connection, time_s, msg)
                counts.frames += 1
            elif connection.topic == topics.joints:
                self._joint_state(time_s, msg)
                counts.joint_states += 1
            elif topics.actions_from == "poses":
                self._poses.append((time_s, _pose(msg)))
            else:
                self._given_action(time_s, msg)
                counts.actions += 1
        if topics.actions_from == "joints":
            self._poses = [(time_s, self._fk(positions[:6])) for time_s, positions in self._joints]
        if topics.actions_from in ("joints", "poses"):
            counts.actions = self._derive()
        return counts

    def _messages(self) -> Iterator[tuple[Connection, float, Any]]:
        topics = self._topics
        allowed = {topics.image: tuple(_IMAGES), topics.joints: ("sensor_msgs/msg/JointState",)}
        if topics.actions:
            allowed[topics.actions] = {
                "poses": ("geometry_msgs/msg/PoseStamped",),
                "ee_delta": _ARRAYS,
                "chunks": ("theia_msgs/msg/ActionChunk",),
            }[topics.actions_from]
        present = {c.topic: c for c in self._reader.connections}
        for topic, kinds in allowed.items():
            if topic not in present or not present[topic].msgcount:
                raise TheiaError(f"the bag has no {topic}; it has {', '.join(sorted(present))}")
            if present[topic].msgtype not in kinds:
                raise TheiaError(f"{topic} is {present[topic].msgtype}; it must be {' or '.join(kinds)}")
        wanted = [c for c in self._reader.connections if c.topic in allowed]
        for connection, received_ns, data in self._reader.messages(connections=wanted):
            msg = self._reader.deserialize(data, connection.msgtype)
            time_s = received_ns * 1e-9
            if topics.clock == "header" and hasattr(msg, "header"):
                stamp = stamp_s(msg)
                time_s = stamp if stamp > 0 else time_s
            yield connection, time_s, msg

    def _image(self, connection: Connection, time_s: float, msg: Any) -> None:
        msg.header.stamp = time_message(to_ns(time_s))
        self._recorder.write(_IMAGES[connection.msgtype], _ours(msg), to_ns(time_s))

    def _joint_state(self, time_s: float, msg: Any) -> None:
        names = list(msg.name)
        if absent := [name for name in self._topics.theirs if name not in names]:
            raise TheiaError(
                f"{self._topics.joints} has no joint {absent[0]!r}, it has {', '.join(names)}; "
                "say in joint_names what ours are called there"
            )
        columns = [names.index(name) for name in self._topics.theirs]
        positions = np.asarray(msg.position, float)[columns]
        if ends := self._topics.finger:
            closed_m, open_m = self._finger_range_m
            share = (positions[6] - ends["closed"]) / (ends["open"] - ends["closed"])
            positions[6] = closed_m + np.clip(share, 0.0, 1.0) * (open_m - closed_m)
        self._joints.append((time_s, positions))
        self._recorder.joints(time_s, OBSERVED_JOINTS, positions)

    def _given_action(self, time_s: float, msg: Any) -> None:
        values = np.asarray(msg.data, np.float32)
        if hasattr(msg, "horizon"):
            values = values[: msg.dim]
        if len(values) != 7:
            raise TheiaError(f"{self._topics.actions} has {len(values)} numbers; an ee_delta action has 7")
        self._recorder.action(time_s, values, "imported")

    def _derive(self) -> int:
        """Actions from motion: what takes each control step's pose to the next one's."""
        if not self._poses or not self._joints:
            return 0
        pose_times = [time_s for time_s, _ in self._poses]
        joint_times = [time_s for time_s, _ in self._joints]
        middle_m = sum(self._finger_range_m) / 2
        begin_s, end_s = max(pose_times[0], joint_times[0]), min(pose_times[-1], joint_times[-1])
        steps_s = np.arange(begin_s, end_s + 1e-6, STEP_S)
        for now_s, next_s in pairwise(steps_s):
            position, rotation = self._poses[nearest_index(pose_times, now_s)][1]
            next_position, next_rotation = self._poses[nearest_index(pose_times, next_s)][1]
            finger_m = self._joints[nearest_index(joint_times, next_s)][1][6]
            turn = euler_from_matrix(next_rotation @ rotation.T)
            action = np.concatenate([next_position - position, turn, [float(finger_m > middle_m)]])
            self._recorder.action(now_s, action.astype(np.float32), "derived-from-motion")
        return max(len(steps_s) - 1, 0)


def _pose(msg: Any) -> Pose:
    place, turn = msg.pose.position, msg.pose.orientation
    rotation = Rotation.from_quat([turn.x, turn.y, turn.z, turn.w]).as_matrix()
    return np.array([place.x, place.y, place.z]), rotation


def _ours(msg: Any) -> Any:
    """A message of the bag's typestore as one of ours; the definitions of images are the same everywhere."""
    values = {name: getattr(msg, name) for name in msg.__dataclass_fields__ if not name.startswith("__")}
    values["header"] = header(stamp_s(msg), msg.header.frame_id)
    return message(msg.__msgtype__, **values)
