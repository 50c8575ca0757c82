"""The recorder node: what goes over the wire in an episode, byte for byte, into one crash-safe MCAP file.

Messages are not decoded: only the stamp is read from the bytes, and two pictures a second are looked at, so
that the operator is warned while there is time to do the take again.
"""

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.node import Node
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage, Image, JointState, Joy
from theia_msgs.msg import ActionChunk, EpisodeEvent, GuardState, SpatialTokens, TaskState
from theia_msgs.srv import RecordEpisode

from theia.messages.json_object import parse_object
from theia.messages.raw import raw_stamp_s
from theia.nodekit.diagnostics import Diagnostics
from theia.nodekit.main import run_node
from theia.nodekit.outcome import Outcome
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.qos import EVENT, RECORDING, RECORDING_SMALL, STREAM
from theia.nodes.take import Take, TakeLabels
from theia.topics import (
    ACTION_CHUNK,
    COMPRESSED_IMAGE,
    EPISODE_EVENT,
    EXECUTED_ACTION,
    GUARD_STATE,
    HAND_STATE,
    IMAGE,
    JOY,
    TASK_STATE,
    TOKENS,
)
from theia_core.actions.profile import load_profile
from theia_core.episodes.trash import put_aside
from theia_core.episodes.watch import CAMERA, JOINTS, RecordingWatch
from theia_core.errors import TheiaError
from theia_core.teleop.controls import ButtonPresses, load_controls

_LOOK_PERIOD_S = 1.0


@dataclass(frozen=True)
class RecorderParameters:
    """Parameters of the recorder."""

    folder: str = parameter("runs/episodes", "folder of the episodes; made if absent")
    robot: str = parameter("wx250s", "robot profile: namespace of joint_states; spot_arm for Spot")
    images: str = parameter("compressed", "which images to keep", choices=("compressed", "raw"))
    tokens: bool = parameter(False, "keep the encoder's tokens too, 0.5 MB a second")
    task: str = parameter("", "label of the episodes: the task")
    operator: str = parameter("", "label of the episodes: who demonstrates")
    notes: str = parameter("", "label of the episodes: anything worth knowing")
    controls: str = parameter(
        "", "whose buttons start, keep, discard and undo: gamepad, keyboard or a .yaml; empty for none"
    )
    camera_hz: float = parameter(10.0, "warn if the camera gives fewer frames a second", low=0.1, high=1000.0)
    joints_hz: float = parameter(100.0, "warn if joint_states come more rarely", low=0.1, high=5000.0)


class RecorderNode(Node):
    """Writes serialised messages as they arrive; takes are ordered by service, EpisodeEvent or button."""

    def __init__(self) -> None:
        """Subscribe; nothing is written before an episode starts."""
        super().__init__("recorder")
        self.outcome = Outcome()
        self.diagnostics = Diagnostics(self)
        self.parameters = declare(self, RecorderParameters)
        self._take: Take | None = None
        self._last: Path | None = None  # the last take
        self._aside: Path | None = None  # where it was put, if it was discarded
        given = self.parameters
        labels = {"task": given.task, "operator": given.operator, "notes": given.notes}
        self._labels = TakeLabels({name: text for name, text in labels.items() if text}, given.robot)
        spot = given.robot == "spot_arm"
        joints = HAND_STATE if spot else f"{load_profile(given.robot).namespace}/joint_states"
        if given.images == "raw":
            self._keep(Image, IMAGE, IMAGE, CAMERA)
        else:
            self._keep(
                CompressedImage, f"{self.resolve_topic_name(IMAGE)}/compressed", COMPRESSED_IMAGE, CAMERA
            )
        self._keep(JointState, joints, joints, JOINTS)
        for kind, topic in (
            (ActionChunk, EXECUTED_ACTION),
            (ActionChunk, ACTION_CHUNK),
            (GuardState, GUARD_STATE),
        ):
            self._keep(kind, topic, topic)
        if given.tokens:
            self._keep(SpatialTokens, TOKENS, TOKENS)
        self.create_subscription(TaskState, TASK_STATE, self._labels.on_task_state, STREAM)
        self.create_subscription(EpisodeEvent, EPISODE_EVENT, self._on_event, EVENT, raw=True)
        self.create_service(RecordEpisode, "~/record", self._on_request)
        if given.controls:
            self._buttons = ButtonPresses(load_controls(given.controls))
            self.create_subscription(Joy, JOY, self._on_joy, EVENT)
        self.create_timer(_LOOK_PERIOD_S, self._look)
        self.diagnostics.before_publishing(self._gather)
        self.diagnostics.ok("waiting")

    def shut_down(self) -> None:
        """Finish an episode that is still being recorded; nothing of it is lost."""
        if self._take is not None:
            self._end({"interrupted": True})

    # --- orders ---

    def start(self, episode_id: str, metadata: dict[str, Any]) -> Path:
        """Begin an episode; an empty id is replaced by the date and time.

        Raises:
            TheiaError: if one is being recorded, or the file cannot be written.
        """
        if self._take is not None:
            raise TheiaError(f"{self._take.path.stem} is being recorded; keep or discard it first")
        rates = {CAMERA: self.parameters.camera_hz, JOINTS: self.parameters.joints_hz}
        watch = RecordingWatch(time.time(), rates)
        self._take = Take(Path(self.parameters.folder), episode_id, self._labels.at_start(metadata), watch)
        self.get_logger().info(f"recording {self._take.path}")
        self.diagnostics.ok(f"recording {self._take.path.stem}")
        return self._take.path

    def keep(self, metadata: dict[str, Any]) -> Path:
        """End the episode and keep it, as a success unless the simulator or `metadata` says otherwise.

        Raises:
            TheiaError: if none is being recorded, or the file cannot be written.
        """
        return self._end({"success": self._labels.success(), **metadata})

    def stop(self, metadata: dict[str, Any]) -> Path:
        """End the episode and keep it, with the labels of `metadata` alone.

        Raises:
            TheiaError: if none is being recorded, or the file cannot be written.
        """
        return self._end(metadata)

    def discard(self) -> Path:
        """End the episode and put it into the folder .trash.

        Raises:
            TheiaError: if none is being recorded, or the file cannot be written.
        """
        path = self._end({})
        (self._aside,) = put_aside([path])
        self.get_logger().info(f"discarded {path.name}; undo brings it back")
        return path

    def undo(self) -> Path:
        """Take back the last keep (into .trash) or the last discard (out of it).

        Raises:
            TheiaError: if there is none, or an episode is being recorded.
        """
        if self._take is not None:
            raise TheiaError(f"{self._take.path.stem} is being recorded; keep or discard it first")
        if self._last is None:
            raise TheiaError("nothing to undo: no episode was kept or discarded yet")
        if self._aside is None:
            (self._aside,) = put_aside([self._last])
            self.get_logger().info(f"{self._last.name} is discarded after all; undo brings it back")
        elif self._last.exists():
            raise TheiaError(f"{self._last} exists again; move it away, then undo")
        else:
            self._aside.rename(self._last)
            self._aside = None
            self.get_logger().info(f"{self._last.name} is kept after all")
        return self._last

    def _end(self, metadata: dict[str, Any]) -> Path:
        if self._take is None:
            raise TheiaError("nothing is being recorded; start an episode first")
        take, self._take = self._take, None
        self.diagnostics.ok("waiting")
        path = take.close(self._labels.at_end(metadata))
        self._last, self._aside = path, None
        self.get_logger().info(f"wrote {path}: {take.message_count} messages, {take.summary()}")
        return path

    # --- callbacks ---

    def _keep(self, kind: type, topic: str, recorded_as: str, watched_as: str = "") -> None:
        """Record every message of `topic`; a remapped one keeps its usual name in the file."""
        msgtype = f"{kind.__module__.partition('.')[0]}/msg/{kind.__name__}"
        rate = self.diagnostics.rate(recorded_as.strip("/").replace("/", "_"))

        def write(cdr: bytes) -> None:
            rate.tick()
            if self._take is not None:
                self._write(recorded_as, msgtype, cdr, watched_as)

        qos = RECORDING if watched_as == CAMERA else RECORDING_SMALL
        self.create_subscription(kind, topic, write, qos, raw=True)

    def _write(self, topic: str, msgtype: str, cdr: bytes, watched_as: str = "") -> None:
        now_ns = time.time_ns()
        assert self._take is not None
        try:
            self._take.write(topic, msgtype, cdr, now_ns)
        except TheiaError as error:
            self._take.abandon()
            self._take = None
            self.get_logger().error(str(error))
            self.diagnostics.error(str(error))
            return
        if watched_as:
            self._take.watch.on_message(watched_as, raw_stamp_s(cdr), now_ns * 1e-9)

    def _on_joy(self, message: Joy) -> None:
        orders: dict[str, Callable[[], Path]] = {
            "start": lambda: self.start("", {}),
            "keep": lambda: self.keep({}),
            "discard": self.discard,
            "undo": self.undo,
        }
        for name in self._buttons.pressed(message.buttons):
            if name in orders:
                try:
                    orders[name]()
                except TheiaError as error:
                    self._complain(str(error))

    def _on_event(self, cdr: bytes) -> None:
        """Obey start, stop and discard; the event itself belongs to the episode."""
        event = deserialize_message(cdr, EpisodeEvent)
        try:
            if event.event == EpisodeEvent.START:
                self.start(event.episode_id, parse_object(event.detail, "detail"))
            if self._take is not None:
                self._write(EPISODE_EVENT, "theia_msgs/msg/EpisodeEvent", cdr)
            if event.event == EpisodeEvent.STOP:
                self.stop(parse_object(event.detail, "detail"))
            elif event.event == EpisodeEvent.DISCARD:
                self.discard()
        except TheiaError as error:
            self._complain(str(error))

    def _on_request(
        self, request: RecordEpisode.Request, response: RecordEpisode.Response
    ) -> RecordEpisode.Response:
        commands: dict[str, Callable[[dict[str, Any]], Path]] = {
            "start": lambda metadata: self.start(request.episode_id, metadata),
            "keep": self.keep,
            "stop": self.stop,
            "discard": lambda _: self.discard(),
            "undo": lambda _: self.undo(),
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

    def _complain(self, text: str) -> None:
        self.get_logger().error(text)
        self.diagnostics.warn(text)

    def _look(self) -> None:
        """Once a second: what is wrong with the episode that is being recorded."""
        if self._take is None:
            return
        free_bytes = shutil.disk_usage(self._take.path.parent).free
        warnings, news = self._take.look(time.time(), free_bytes)
        for text in news:
            self.get_logger().warning(text)
        if warnings:
            self.diagnostics.warn("; ".join(warnings))
        else:
            self.diagnostics.ok(f"recording {self._take.path.stem}")

    def _gather(self) -> None:
        self.diagnostics.counts["messages"] = self._take.message_count if self._take else 0


def main() -> int:
    """Run the node."""
    return run_node(RecorderNode)


if __name__ == "__main__":
    sys.exit(main())
