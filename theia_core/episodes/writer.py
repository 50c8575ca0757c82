"""Writing one episode as one MCAP file, readable by `ros2 bag`; a crash costs at most a second."""

import json
import os
import threading
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter

from theia_core.episodes.messages import header, is_known, message, schema_text, to_ns, type_hash, typestore
from theia_core.episodes.topics import EPISODE_EVENT
from theia_core.errors import TheiaError

METADATA_NAME = "theia_episode"
FORMAT = "theia-episode/1"
PARTIAL_SUFFIX = ".partial"
FLUSH_PERIOD_S = 0.5
SYNC_PERIOD_S = 1.0


class EpisodeWriter:
    """Writes messages to `<path>.partial` and makes it `<path>` when the episode is closed.

    A thread hands what was written to the operating system every 0.5 s, so a killed process loses less than a
    second; another one lets it write that to the disk, which bounds what a power cut costs to a few seconds.
    All methods may be called from any thread.
    """

    def __init__(self, path: Path, metadata: dict[str, Any], episode_id: str | None = None) -> None:
        """Begin an episode.

        Args:
            path: where the finished episode will be, ending in ".mcap".
            metadata: anything JSON can hold; by convention task, robot, operator, simulated, seed.
            episode_id: its id, the name of the file by default.

        Raises:
            TheiaError: if the episode exists already, or the folder cannot be written.
        """
        self.path = Path(path)
        self.partial_path = Path(f"{self.path}{PARTIAL_SUFFIX}")
        self.message_count = 0
        if self.path.suffix != ".mcap":
            raise TheiaError(f"an episode's name must end in .mcap, not {self.path.name}")
        self._check_free()
        self._metadata = {
            "format": FORMAT,
            "id": episode_id or self.path.stem,
            "started_at": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            **metadata,
        }
        self._lock = threading.RLock()
        self._channels: dict[str, tuple[int, str]] = {}
        self._schemas: dict[str, int] = {}
        self._last_log_time_ns = 0
        self._stream: BinaryIO | None = self._open()
        self._mcap = McapWriter(self._stream, compression=CompressionType.NONE, enable_data_crcs=True)
        self._mcap.start(profile="ros2", library="theia")
        self._write_metadata(complete=False)
        self._mcap.flush()
        self._failure: OSError | None = None
        self._closing = threading.Event()
        self._flusher = threading.Thread(target=self._flush_loop, name="episode-flush", daemon=True)
        self._syncer = threading.Thread(target=self._sync_loop, name="episode-sync", daemon=True)
        self._flusher.start()
        self._syncer.start()

    def write_cdr(
        self,
        topic: str,
        msgtype: str,
        cdr: bytes | memoryview,
        log_time_ns: int,
        publish_time_ns: int | None = None,
        definition: str | None = None,
    ) -> None:
        """Write one serialised message as it came from DDS.

        Args:
            topic: its topic.
            msgtype: its type, as "package/msg/Name".
            cdr: the bytes of a raw subscription, with their encapsulation header. Not those of rclpy's
                serialize_message, which may leave unused bytes at the end that strict readers refuse.
            log_time_ns: when it was received.
            publish_time_ns: when it was published, `log_time_ns` where that is unknown.
            definition: text of the type in `ros2msg` form, for one that is copied from elsewhere; otherwise
                the type must be a standard or a theia_msgs one.

        Raises:
            TheiaError: if the type is unknown, differs from the topic's, or the file cannot be written.
        """
        with self._lock:
            channel = self._channel(topic, msgtype, definition)
            publish_time_ns = log_time_ns if publish_time_ns is None else publish_time_ns
            try:
                self._mcap.add_message(channel, log_time_ns, bytes(cdr), publish_time_ns, self.message_count)
            except OSError as error:
                self._failure = error
                raise self._cannot_write(error) from error
            self.message_count += 1
            self._last_log_time_ns = log_time_ns

    def write(self, topic: str, msg: Any, log_time_ns: int) -> None:
        """Serialise a message made with `theia_core.episodes.messages.message` and write it."""
        self.write_cdr(topic, msg.__msgtype__, typestore().serialize_cdr(msg, msg.__msgtype__), log_time_ns)

    def event(self, event: str, detail: str = "", *, stamp_s: float | None = None) -> None:
        """Write an EpisodeEvent, e.g. event "stage" with detail "open".

        Args:
            event: what happened.
            detail: more about it.
            stamp_s: when; the time of the last message if None.
        """
        stamp_ns = self._last_log_time_ns if stamp_s is None else to_ns(stamp_s)
        fields = {
            "header": header(stamp_ns * 1e-9),
            "episode_id": self._metadata["id"],
            "event": event,
            "detail": detail,
        }
        self.write(EPISODE_EVENT, message("theia_msgs/msg/EpisodeEvent", **fields), stamp_ns)

    def close(self, **final_metadata: Any) -> Path:
        """Finish the episode: index, fsync, rename. Closing again does nothing.

        Args:
            final_metadata: what is known at the end, e.g. success=True; replaces values given at the start.

        Returns:
            The finished file.

        Raises:
            TheiaError: if the file cannot be written; what was recorded stays in the .partial file.
        """
        self._stop_threads()
        with self._lock:
            if self._stream is None:
                return self.path
            self._metadata.update(final_metadata, message_count=self.message_count)
            self._check_free()
            try:
                if self._failure is not None:
                    raise self._failure
                self._write_metadata(complete=True)
                self._mcap.finish()
                self._stream.flush()
                os.fsync(self._stream.fileno())
                self._stream.close()
                os.replace(self.partial_path, self.path)
                _fsync_folder(self.path.parent)
            except OSError as error:
                self._release()
                raise self._cannot_write(error) from error
            self._stream = None
        return self.path

    def abandon(self) -> Path:
        """Stop writing and leave the unfinished file, which `load_episode(..., allow_partial=True)` reads."""
        self._stop_threads()
        with self._lock:
            if self._stream is not None:
                with suppress(OSError):  # a full disk; what was flushed before stays readable
                    self._mcap.flush()
                self._release()
        return self.partial_path

    def discard(self) -> None:
        """Stop writing and delete the unfinished file."""
        if self._stream is not None:
            self.abandon().unlink(missing_ok=True)

    def __enter__(self) -> "EpisodeWriter":
        """For `with`: closed at the end, left unfinished if the block raises."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def _release(self) -> None:
        """Close the file whatever state it is in."""
        if self._stream is not None:
            with suppress(OSError):
                self._stream.close()
            self._stream = None

    def _channel(self, topic: str, msgtype: str, definition: str | None) -> int:
        if self._stream is None:
            raise TheiaError(f"episode {self.path.name} is closed; nothing more can be written to it")
        if self._failure is not None:
            raise self._cannot_write(self._failure) from self._failure
        if topic in self._channels:
            channel, known = self._channels[topic]
            if known != msgtype:
                raise TheiaError(f"topic {topic} carries {known} in this episode, not {msgtype}")
            return channel
        if msgtype not in self._schemas:
            text = (definition or schema_text(msgtype)).encode()
            self._schemas[msgtype] = self._mcap.register_schema(msgtype, "ros2msg", text)
        extra = {"offered_qos_profiles": ""}
        if definition is None or (is_known(msgtype) and definition == schema_text(msgtype)):
            extra["topic_type_hash"] = type_hash(msgtype)
        channel = self._mcap.register_channel(topic, "cdr", self._schemas[msgtype], extra)
        self._channels[topic] = (channel, msgtype)
        return channel

    def _write_metadata(self, *, complete: bool) -> None:
        text = json.dumps({**self._metadata, "complete": complete})
        self._mcap.add_metadata(METADATA_NAME, {"json": text})

    def _flush_loop(self) -> None:
        while not self._closing.wait(FLUSH_PERIOD_S):
            with self._lock:
                if self._stream is None:
                    return
                try:
                    self._mcap.flush()
                except OSError as error:
                    self._failure = error  # the next write reports it
                    return

    def _sync_loop(self) -> None:
        """Without the lock: a slow disk must not hold up who records. On a copy: the file may be closed."""
        assert self._stream is not None
        descriptor = os.dup(self._stream.fileno())
        try:
            while not self._closing.wait(SYNC_PERIOD_S):
                with suppress(OSError):  # a full or broken disk; the next write reports it
                    os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def _stop_threads(self) -> None:
        self._closing.set()
        for thread in (self._flusher, self._syncer):
            if thread is not threading.current_thread():
                thread.join()

    def _check_free(self) -> None:
        if self.path.exists():
            raise TheiaError(
                f"episode {self.path} exists; recordings are never overwritten, choose another name"
            )

    def _open(self) -> BinaryIO:
        try:
            if self.partial_path.exists():
                os.replace(self.partial_path, _free_name(self.partial_path))
            return open(self.partial_path, "xb")
        except OSError as error:
            raise self._cannot_write(error) from error

    def _cannot_write(self, error: OSError) -> TheiaError:
        return TheiaError(
            f"cannot write episode {self.partial_path}: {error.strerror}; "
            "check the folder and the space left on the disk"
        )


def _free_name(partial: Path) -> Path:
    """Where to move what an earlier crash left: <id>.crashed-1.mcap.partial and so on."""
    stem = partial.name.removesuffix(".mcap" + PARTIAL_SUFFIX)
    number = 1
    while (moved := partial.with_name(f"{stem}.crashed-{number}.mcap{PARTIAL_SUFFIX}")).exists():
        number += 1
    return moved


def _fsync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
