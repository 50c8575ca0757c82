"""Reading an episode: what is in it, and its images, joints, actions and events as arrays."""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mcap.exceptions import EndOfFile, InvalidMagic, McapError, RecordLengthLimitExceeded
from mcap.records import Channel, Message, Metadata, Schema
from mcap.stream_reader import StreamReader
from rosbags.serde import SerdeError

from theia_core.episodes.codec import decode_image
from theia_core.episodes.messages import reader_of, stamp_s
from theia_core.episodes.topics import (
    COMPRESSED_IMAGE,
    EPISODE_EVENT,
    EXECUTED_ACTION,
    IMAGE,
    JOINT_STATES,
    SPOT_STATE,
)
from theia_core.episodes.writer import METADATA_NAME, PARTIAL_SUFFIX
from theia_core.errors import TheiaError

# What the MCAP reader meets in bad bytes; a wrong length may ask for more memory than there is.
_DAMAGE = (McapError, ValueError, KeyError, OverflowError, MemoryError)
EDITS = "edits"  # metadata: what was done to a recording, from first to last
TRASH = ".trash"  # folder beside the episodes that `theia episodes delete` moves them to


class JointSeries(NamedTuple):
    """Joint states over time.

    Attributes:
        names: J joint names.
        stamps_s: (N,) float64.
        positions: (N, J) float64, rad or m; so are velocities (per second) and efforts, (N, 0) if not
            recorded.
    """

    names: tuple[str, ...]
    stamps_s: np.ndarray
    positions: np.ndarray
    velocities: np.ndarray
    efforts: np.ndarray


class ActionSeries(NamedTuple):
    """Executed actions over time, all of one space: stamps_s (N,) float64, actions (N, D) float32."""

    stamps_s: np.ndarray
    actions: np.ndarray
    policy_ids: tuple[str, ...]
    action_space: str


class Event(NamedTuple):
    """One EpisodeEvent."""

    stamp_s: float
    event: str
    detail: str


class Recorded(NamedTuple):
    """One message as it lies in the file: `data` is CDR, `definition` its type's text in `ros2msg` form."""

    topic: str
    msgtype: str
    definition: str
    log_time_ns: int
    publish_time_ns: int
    data: bytes


@dataclass
class Topic:
    """What is recorded of one topic."""

    msgtype: str
    schema: str = field(repr=False)
    message_count: int = 0


class Episode:
    """One recorded episode. Opening it reads the whole file once, to check it; images are decoded as you go.

    Attributes:
        path: its file.
        metadata: what the writer was told; "complete" is False if the recording never ended.
        topics: what is recorded, by topic.
        start_s: log time of the first message, 0 if there is none.
        duration_s: from the first message to the last.
        damage: why the rest of the file cannot be read, None if all of it can.
    """

    def __init__(self, path: Path, *, allow_partial: bool = False) -> None:
        """See `load_episode`."""
        self.path = Path(path)
        self.metadata: dict[str, Any] = {}
        self.topics: dict[str, Topic] = {}
        self.damage: str | None = None
        self._allow_partial = allow_partial
        self.start_s = self.duration_s = 0.0
        self._scan()

    @property
    def image_topic(self) -> str:
        """Topic of the camera: the compressed one where both are recorded.

        Raises:
            TheiaError: if no camera was recorded.
        """
        return self._present(COMPRESSED_IMAGE, IMAGE)

    @property
    def state_topic(self) -> str:
        """Topic of the arm's joint states, or of Spot's observed state.

        Raises:
            TheiaError: if neither was recorded.
        """
        return self._present(JOINT_STATES, SPOT_STATE)

    def messages(self, topic: str) -> Iterator[tuple[int, Any]]:
        """Log time [ns] and decoded message, in the order of the file.

        Raises:
            TheiaError: if the topic is not in the episode or a message cannot be decoded.
        """
        known = self.topics[self._present(topic)]
        store = reader_of(known.msgtype, known.schema)
        for record in self.recorded():
            if record.topic != topic:
                continue
            try:
                yield record.log_time_ns, store.deserialize_cdr(record.data, known.msgtype)
            except SerdeError as error:
                raise TheiaError(f"{self.path}: a message on {topic} cannot be decoded: {error}") from error

    def images(self) -> Iterator[tuple[float, np.ndarray]]:
        """Stamp [s] and (H, W, 3) uint8 RGB of each camera frame.

        Raises:
            TheiaError: if there is no camera, or a frame cannot be decoded.
        """
        for _, encoded in self.messages(self.image_topic):
            yield stamp_s(encoded), decode_image(encoded)

    def joints(self) -> JointSeries:
        """All joint states, or observed states of Spot, ordered by stamp.

        Raises:
            TheiaError: if there are none, or they differ in their joints.
        """
        states = [state for _, state in self.messages(self.state_topic)]
        names = tuple(states[0].name)
        if any(tuple(state.name) != names or len(state.position) != len(names) for state in states):
            raise TheiaError(f"{self.path}: the joint states do not all have the joints {', '.join(names)}")
        stamps_s = np.array([stamp_s(state) for state in states])
        order = np.argsort(stamps_s, kind="stable")

        def column(attribute: str) -> np.ndarray:
            values = [getattr(state, attribute) for state in states]
            complete = all(len(value) == len(names) for value in values)
            return np.stack(values)[order] if complete else np.zeros((len(states), 0))

        return JointSeries(names, stamps_s[order], column("position"), column("velocity"), column("effort"))

    def actions(self) -> ActionSeries:
        """All executed actions, ordered by stamp.

        Raises:
            TheiaError: if there are none, or they differ in length or space.
        """
        chunks = [chunk for _, chunk in self.messages(EXECUTED_ACTION) if chunk.horizon > 0]
        widths = {chunk.dim for chunk in chunks}
        if len(widths) != 1:
            raise TheiaError(
                f"{self.path}: actions must be there and equally long, found {sorted(widths)} numbers"
            )
        if len(spaces := {chunk.action_space for chunk in chunks}) > 1:
            raise TheiaError(f"{self.path}: actions of several spaces: {', '.join(sorted(spaces))}")
        chunks.sort(key=stamp_s)
        return ActionSeries(
            np.array([stamp_s(chunk) for chunk in chunks]),
            np.stack([chunk.data[: chunk.dim] for chunk in chunks]).astype(np.float32),
            tuple(chunk.policy_id for chunk in chunks),
            chunks[0].action_space,
        )

    def events(self) -> list[Event]:
        """All episode events; empty if none were recorded."""
        if EPISODE_EVENT not in self.topics:
            return []
        return [Event(stamp_s(m), m.event, m.detail) for _, m in self.messages(EPISODE_EVENT)]

    def _present(self, *candidates: str) -> str:
        for topic in candidates:
            if topic in self.topics:
                return topic
        found = ", ".join(sorted(self.topics)) or "nothing"
        raise TheiaError(f"{self.path} has no {' or '.join(candidates)}; it holds {found}")

    def _scan(self) -> None:
        """Read everything once: metadata, what is on each topic, and whether the file is whole."""
        first_ns: int | None = None
        last_ns = 0
        for record in self._records(check=True):
            if isinstance(record, Metadata):
                if record.name == METADATA_NAME:
                    self._read_metadata(record)
                continue
            topic = self.topics.setdefault(record.topic, Topic(record.msgtype, record.definition))
            topic.message_count += 1
            first_ns = record.log_time_ns if first_ns is None else min(first_ns, record.log_time_ns)
            last_ns = max(last_ns, record.log_time_ns)
        if first_ns is not None:
            self.start_s, self.duration_s = first_ns * 1e-9, (last_ns - first_ns) * 1e-9

    def _read_metadata(self, record: Metadata) -> None:
        try:
            self.metadata.update(json.loads(record.metadata["json"]))
        except (KeyError, TypeError, ValueError) as error:
            self._damaged("its metadata is no JSON object", error)

    def recorded(self) -> Iterator[Recorded]:
        """Every message as it lies in the file, in its order; nothing is decoded."""
        return (record for record in self._records(check=False) if isinstance(record, Recorded))

    def _records(self, *, check: bool) -> Iterator[Metadata | Recorded]:
        """Metadata and messages in the order of the file, to its end or to a damage that is allowed."""
        schemas: dict[int, Schema] = {}
        texts: dict[int, str] = {}
        channels: dict[int, Channel] = {}
        try:
            with self.path.open("rb") as stream:
                reader = StreamReader(stream, validate_crcs=check, record_size_limit=self.path.stat().st_size)
                for record in reader.records:
                    if isinstance(record, Schema):
                        schemas[record.id] = record
                    elif isinstance(record, Channel):
                        channels[record.id] = record
                    elif isinstance(record, Metadata):
                        yield record
                    elif isinstance(record, Message):
                        channel = channels[record.channel_id]
                        schema = schemas[channel.schema_id]
                        text = texts.setdefault(schema.id, schema.data.decode())
                        yield Recorded(
                            channel.topic,
                            schema.name,
                            text,
                            record.log_time,
                            record.publish_time,
                            record.data,
                        )
        except OSError as error:
            raise TheiaError(f"cannot read episode {self.path}: {error.strerror}; check the path") from error
        except InvalidMagic as error:
            if not channels:
                raise TheiaError(
                    f"{self.path} is no MCAP file; episodes end in .mcap or .mcap.partial"
                ) from error
            self._damaged("its end is overwritten", error)
        except (EndOfFile, RecordLengthLimitExceeded, struct.error) as error:
            self._damaged("it is truncated", error)
        except _DAMAGE as error:
            self._damaged(f"it is damaged ({error or type(error).__name__})", error)

    def _damaged(self, what: str, error: Exception) -> None:
        self.damage = what
        if not self._allow_partial:
            raise TheiaError(
                f"episode {self.path} cannot be read to its end: {what}; "
                f"see what is left with: theia episodes show --partial {self.path}"
            ) from error


def load_episode(path: Path | str, *, allow_partial: bool = False) -> Episode:
    """Open a recorded episode and check the file.

    Args:
        path: an .mcap file, or with `allow_partial` the .mcap.partial one of a recording that was cut off.
        allow_partial: accept a truncated or damaged file and read up to the damage (`Episode.damage`).

    Raises:
        TheiaError: if the file is absent, is no MCAP file or, without `allow_partial`, is not whole.
    """
    return Episode(Path(path), allow_partial=allow_partial)


def find_episodes(folder: Path | str, *, partial: bool = False) -> list[Path]:
    """Finished episodes in a folder and below it, sorted, without hidden ones; the cut-off ones if `partial`.

    Raises:
        TheiaError: if there is no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise TheiaError(f"no folder {root}; give the folder that holds the episodes")
    found = root.rglob(f"*.mcap{PARTIAL_SUFFIX}" if partial else "*.mcap")
    return sorted(path for path in found if not any(p.startswith(".") for p in path.relative_to(root).parts))
