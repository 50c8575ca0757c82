"""What an evaluation hears: the newest messages, the trial that runs, the film, a picture of the tokens."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from sensor_msgs.msg import Image
from theia_msgs.msg import ActionChunk, EpisodeEvent, GuardState, SpatialTokens, TaskState

from theia.messages.images import image_array
from theia.messages.tokens import tokens_array
from theia.nodekit.diagnostics import TOPIC
from theia.nodekit.qos import EVENT, STATE, STREAM
from theia.nodes.timing_report import TimingReport
from theia.nodes.trial_film import TrialFilm, write_token_map
from theia.nodes.trial_monitor import TrialMonitor
from theia.topics import ACTION_CHUNK, EPISODE_EVENT, GUARD_STATE, IMAGE, TASK_STATE, TOKENS

_TOKEN_MAP_AT_S = 3.0
_FRAMES_KEPT = 10  # until the tokens of a frame have come
_MODES = {
    GuardState.IDLE: "IDLE",
    GuardState.ACTIVE: "ACTIVE",
    GuardState.HOLD: "HOLD",
    GuardState.FAULT: "FAULT",
    GuardState.ESTOP: "ESTOP",
}


class TrialObserver:
    """Subscribes on a node whose callbacks run in one thread; the evaluation's script reads in another.

    Attributes:
        task: newest TaskState, None before the first; so are guard, tokens, chunk and image.
        monitor: follows the trial that runs, None between trials.
        film: takes the camera's frames, None before there is one.
        timing: what the nodes measured.
    """

    task: TaskState | None = None
    guard: GuardState | None = None
    tokens: SpatialTokens | None = None
    chunk: ActionChunk | None = None
    image: Image | None = None

    def __init__(self, node: Node) -> None:
        """Subscribe on `node`."""
        self.monitor: TrialMonitor | None = None
        self.film: TrialFilm | None = None
        self.timing = TimingReport()
        self._frames: OrderedDict[tuple[int, int], Image] = OrderedDict()
        self._picture_of: tuple[SpatialTokens, Image] | None = None
        self._events = node.create_publisher(EpisodeEvent, EPISODE_EVENT, EVENT)
        heard: tuple[tuple[type, str, Any, Callable[[Any], None]], ...] = (
            (TaskState, TASK_STATE, EVENT, self._on_task_state),
            (GuardState, GUARD_STATE, STATE, self._on_guard_state),
            (SpatialTokens, TOKENS, STREAM, self._on_tokens),
            (ActionChunk, ACTION_CHUNK, STREAM, self._on_chunk),
            (Image, IMAGE, STREAM, self._on_image),
            (DiagnosticArray, TOPIC, EVENT, self.timing.on_diagnostics),
        )
        for kind, topic, qos, callback in heard:
            node.create_subscription(kind, topic, callback, qos)

    def missing(self, *, simulated: bool, acting: bool) -> list[str]:
        """What has not been heard of yet, in words.

        Args:
            simulated: whether there should be a simulator.
            acting: whether an encoder and a policy should be active.
        """
        heard: dict[str, Any] = {"guard_state": self.guard, "camera images": self.image}
        if simulated:
            heard["the simulator's task_state"] = self.task
        if acting:
            heard |= {"tokens": self.tokens, "action chunks": self.chunk}
        return [what for what, message in heard.items() if message is None]

    def write_token_map(self, path: Path) -> Path | None:
        """A picture of the tokens of one frame of the first trial; None if it was too short for one."""
        if self._picture_of is None:
            return None
        tokens, frame = self._picture_of
        values = np.asarray(tokens_array(tokens), np.float32)
        write_token_map(path, values, (tokens.height, tokens.width), image_array(frame))
        return path

    def _on_task_state(self, message: TaskState) -> None:
        self.task = message
        if (monitor := self.monitor) is not None:
            before = dict(monitor.stages)
            monitor.on_task_state(message)
            for name, reached in monitor.stages.items():
                if reached and not before.get(name):
                    self._publish_stage(name, message)
        self._write_status()

    def _publish_stage(self, name: str, message: TaskState) -> None:
        event = EpisodeEvent(event=EpisodeEvent.STAGE, detail=name)
        event.header.stamp = message.header.stamp
        self._events.publish(event)

    def _on_guard_state(self, message: GuardState) -> None:
        self.guard = message
        if (monitor := self.monitor) is not None:
            monitor.on_guard_state(message)

    def _on_chunk(self, message: ActionChunk) -> None:
        self.chunk = message

    def _on_image(self, message: Image) -> None:
        self.image = message
        stamp = message.header.stamp
        self._frames[(stamp.sec, stamp.nanosec)] = message
        while len(self._frames) > _FRAMES_KEPT:
            self._frames.popitem(last=False)
        if (film := self.film) is not None:
            film.add(image_array(message))

    def _on_tokens(self, message: SpatialTokens) -> None:
        self.tokens = message
        monitor, stamp = self.monitor, message.header.stamp
        if self._picture_of is None and monitor is not None and monitor.elapsed_s >= _TOKEN_MAP_AT_S:
            frame = self._frames.get((stamp.sec, stamp.nanosec))
            self._picture_of = (message, frame) if frame is not None else None

    def _write_status(self) -> None:
        """The film's lower line."""
        if self.film is None or self.guard is None or self.task is None:
            return
        task = self.task
        reached = [name for name, done in zip(task.stages, task.reached, strict=True) if done]
        stage = reached[-1] if reached else "none yet"
        text = f"stage: {stage}   {task.elapsed_s:5.1f} s   {self.guard.reason[:50]}"
        self.film.status = (_MODES.get(self.guard.mode, "?"), text)
