"""The recorder node: what goes over the wire in an episode, byte for byte, into one crash-safe MCAP file."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rclpy.node import Node
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage, Image, JointState
from theia_msgs.msg import ActionChunk, EpisodeEvent, SpatialTokens
from theia_msgs.srv import RecordEpisode

from theia.messages.json_object import parse_object
from theia.nodekit.diagnostics import Diagnostics
from theia.nodekit.main import run_node
from theia.nodekit.outcome import Outcome
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.qos import EVENT, RECORDING
from theia.topics import ACTION_CHUNK, COMPRESSED_IMAGE, EPISODE_EVENT, EXECUTED_ACTION, IMAGE, TOKENS
from theia_core.actions.profile import load_profile
from theia_core.episodes import EpisodeWriter
from theia_core.errors import TheiaError


@dataclass(frozen=True)
class RecorderParameters:
    """Parameters of the recorder."""

    folder: str = parameter("runs/episodes", "folder of the episodes; made if absent")
    robot: str = parameter("wx250s", "robot profile: namespace of joint_states")
    images: str = parameter("compressed", "which images to keep", choices=("compressed", "raw"))
    tokens: bool = parameter(False, "keep the encoder's tokens too, 0.5 MB a second")


class RecorderNode(Node):
    """Writes serialised messages as they arrive; starts and ends episodes by service or EpisodeEvent."""

    def __init__(self) -> None:
        """Subscribe; nothing is written before an episode starts."""
        super().__init__("recorder")
        self.outcome = Outcome()
        self.diagnostics = Diagnostics(self)
        self.parameters = declare(self, RecorderParameters)
        self._writer: EpisodeWriter | None = None
        joints = f"{load_profile(self.parameters.robot).namespace}/joint_states"
        if self.parameters.images == "raw":
            self._keep(Image, IMAGE, IMAGE)
        else:
            self._keep(CompressedImage, f"{self.resolve_topic_name(IMAGE)}/compressed", COMPRESSED_IMAGE)
        self._keep(JointState, joints, joints)
        self._keep(ActionChunk, EXECUTED_ACTION, EXECUTED_ACTION)
        self._keep(ActionChunk, ACTION_CHUNK, ACTION_CHUNK)
        if self.parameters.tokens:
            self._keep(SpatialTokens, TOKENS, TOKENS)
        self.create_subscription(EpisodeEvent, EPISODE_EVENT, self._on_event, EVENT, raw=True)
        self.create_service(RecordEpisode, "~/record", self._on_request)
        self.diagnostics.before_publishing(self._gather)
        self.diagnostics.ok("waiting")

    def shut_down(self) -> None:
        """Finish an episode that is still being recorded; nothing of it is lost."""
        if self._writer is not None:
            self._end({"interrupted": True})

    def start(self, episode_id: str, metadata: dict[str, Any]) -> Path:
        """Begin an episode; an empty id is replaced by the date and time.

        Raises:
            TheiaError: if one is being recorded, or the file cannot be written.
        """
        if self._writer is not None:
            raise TheiaError(f"{self._writer.path.stem} is being recorded; stop it first")
        folder = Path(self.parameters.folder)
        name = episode_id or datetime.now().strftime("episode_%Y%m%d_%H%M%S")
        if Path(name).name != name:
            raise TheiaError(f"episode id {name!r} must be a plain file name")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TheiaError(f"cannot make the folder {folder}: {error.strerror}") from None
        self._writer = EpisodeWriter(folder / f"{name}.mcap", metadata)
        self.get_logger().info(f"recording {self._writer.path}")
        self.diagnostics.ok(f"recording {name}")
        return self._writer.path

    def stop(self, metadata: dict[str, Any]) -> Path:
        """End the episode and keep it.

        Raises:
            TheiaError: if none is being recorded, or the file cannot be written.
        """
        return self._end(metadata)

    def discard(self) -> Path:
        """End the episode and delete it.

        Raises:
            TheiaError: if none is being recorded.
        """
        writer = self._taken()
        writer.discard()
        self.get_logger().info(f"discarded {writer.path}")
        return writer.path

    def _end(self, metadata: dict[str, Any]) -> Path:
        writer = self._taken()
        path = writer.close(**metadata)
        self.get_logger().info(f"wrote {path}: {writer.message_count} messages")
        return path

    def _taken(self) -> EpisodeWriter:
        if self._writer is None:
            raise TheiaError("nothing is being recorded; start an episode first")
        writer, self._writer = self._writer, None
        self.diagnostics.ok("waiting")
        return writer

    # --- callbacks ---

    def _keep(self, kind: type, topic: str, recorded_as: str) -> None:
        """Record every message of `topic`; a remapped one keeps its usual name in the file."""
        msgtype = f"{kind.__module__.partition('.')[0]}/msg/{kind.__name__}"
        rate = self.diagnostics.rate(recorded_as.strip("/").replace("/", "_"))

        def write(cdr: bytes) -> None:
            rate.tick()
            self._write(recorded_as, msgtype, cdr)

        self.create_subscription(kind, topic, write, RECORDING, raw=True)

    def _write(self, topic: str, msgtype: str, cdr: bytes) -> None:
        if self._writer is None:
            return
        try:
            self._writer.write_cdr(topic, msgtype, cdr, time.time_ns())
        except TheiaError as error:
            self._writer.abandon()
            self._writer = None
            self.diagnostics.error(str(error))
            self.outcome.fail(str(error))

    def _on_event(self, cdr: bytes) -> None:
        """Obey start, stop and discard; the event itself belongs to the episode."""
        event = deserialize_message(cdr, EpisodeEvent)
        try:
            if event.event == EpisodeEvent.START:
                self.start(event.episode_id, parse_object(event.detail, "detail"))
            self._write(EPISODE_EVENT, "theia_msgs/msg/EpisodeEvent", cdr)
            if event.event == EpisodeEvent.STOP:
                self.stop(parse_object(event.detail, "detail"))
            elif event.event == EpisodeEvent.DISCARD:
                self.discard()
        except TheiaError as error:
            self.get_logger().error(str(error))
            self.diagnostics.warn(str(error))

    def _on_request(
        self, request: RecordEpisode.Request, response: RecordEpisode.Response
    ) -> RecordEpisode.Response:
        commands: dict[str, Callable[[dict[str, Any]], Path]] = {
            "start": lambda metadata: self.start(request.episode_id, metadata),
            "stop": self.stop,
            "discard": lambda _: self.discard(),
        }
        try:
            if request.command not in commands:
                raise TheiaError(f"command {request.command!r} is unknown; use {', '.join(commands)}")
            metadata = parse_object(request.metadata_json, "metadata_json")
            response.path = str(commands[request.command](metadata))
            response.success = True
        except TheiaError as error:
            response.success, response.message = False, str(error)
        return response

    def _gather(self) -> None:
        self.diagnostics.counts["messages"] = self._writer.message_count if self._writer else 0


def main() -> int:
    """Run the node."""
    return run_node(RecorderNode)


if __name__ == "__main__":
    sys.exit(main())
