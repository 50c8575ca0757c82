"""One take: the file that is being written, what is watched meanwhile, and its labels."""

from datetime import datetime
from pathlib import Path
from typing import Any

from theia_msgs.msg import TaskState

from theia.messages.raw import raw_stamp_s
from theia.topics import COMPRESSED_IMAGE, EXECUTED_ACTION, IMAGE, TOKENS
from theia_core.episodes import EpisodeWriter
from theia_core.episodes.codec import decode_image
from theia_core.episodes.messages import typestore
from theia_core.episodes.quality import small_grey
from theia_core.episodes.watch import RecordingWatch
from theia_core.errors import TheiaError
from theia_core.files import deployed_file, file_sha256
from theia_core.software import software

_LOOK_AT_PICTURES_S = 0.5


class Take:
    """An episode on its way to the disk.

    Attributes:
        path: where it will be.
        watch: knows its streams.
    """

    def __init__(
        self, folder: Path, episode_id: str, metadata: dict[str, Any], watch: RecordingWatch
    ) -> None:
        """Begin; an empty id is replaced by the date and time.

        Raises:
            TheiaError: if the id is no file name, or the file cannot be made.
        """
        name = episode_id or datetime.now().strftime("episode_%Y%m%d_%H%M%S_%f")[:-3]
        if Path(name).name != name or name.startswith("."):
            raise TheiaError(f"episode id {name!r} must be a plain file name")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TheiaError(f"cannot make the folder {folder}: {error.strerror}") from None
        self._writer = EpisodeWriter(folder / f"{name}.mcap", metadata)
        self.path, self.watch = self._writer.path, watch
        self._looked_at_ns = 0
        self._encoder_id = ""
        self._said: dict[str, str] = {}

    @property
    def message_count(self) -> int:
        """Messages written so far."""
        return self._writer.message_count

    def write(self, topic: str, msgtype: str, cdr: bytes, now_ns: int) -> None:
        """Write one serialised message that came at `now_ns`; decodes few of them, and those are small.

        Raises:
            TheiaError: if the file cannot be written.
        """
        self._writer.write_cdr(topic, msgtype, cdr, now_ns)
        self.watch.on_bytes(len(cdr))
        if topic == EXECUTED_ACTION:
            chunk = typestore().deserialize_cdr(cdr, msgtype)
            if chunk.horizon:
                self.watch.on_action(chunk.data[: chunk.dim], raw_stamp_s(cdr))
        elif topic in (IMAGE, COMPRESSED_IMAGE) and now_ns - self._looked_at_ns > _LOOK_AT_PICTURES_S * 1e9:
            self._looked_at_ns = now_ns
            self._look_at(cdr, msgtype)
        elif topic == TOKENS and not self._encoder_id:
            self._encoder_id = typestore().deserialize_cdr(cdr, msgtype).encoder_id

    def _look_at(self, cdr: bytes, msgtype: str) -> None:
        try:
            grey = small_grey(decode_image(typestore().deserialize_cdr(cdr, msgtype)))
        except TheiaError as error:  # recorded as it came; `theia episodes check` will say the same
            self._said.setdefault("picture", str(error))
            return
        self.watch.on_picture(grey, raw_stamp_s(cdr))

    def look(self, now_s: float, free_bytes: int) -> tuple[list[str], list[str]]:
        """What is wrong now, and what of it is new in this take."""
        found = self.watch.warnings(now_s, free_bytes)
        news = [text for cause, text in found.items() if cause not in self._said]
        self._said = {**found, **self._said}
        return list(found.values()), news

    def summary(self) -> str:
        """What was said about the take."""
        return f"warned of {', '.join(self._said)}" if self._said else "no warnings"

    def close(self, metadata: dict[str, Any]) -> Path:
        """Finish the file.

        Raises:
            TheiaError: if it cannot be written.
        """
        if self._encoder_id:
            metadata = {"encoder": self._encoder_id, **metadata}
        return self._writer.close(streams=self.watch.counts(), warnings=self._said, **metadata)

    def abandon(self) -> None:
        """Stop writing; what is on the disk stays, unfinished."""
        self._writer.abandon()


class TakeLabels:
    """What a take is labelled with: who and what recorded it, and what the simulator says of the task."""

    def __init__(self, given: dict[str, Any], robot: str) -> None:
        """Labels of every take: `given`, the robot's profile and the software."""
        self._common = {
            **given,
            "robot": robot,
            "robot_profile_sha256": file_sha256(deployed_file("robots", robot)),
            "software": software(),
        }
        self._task: TaskState | None = None

    def on_task_state(self, message: TaskState) -> None:
        """Remember how far the task has come."""
        self._task = message

    def at_start(self, metadata: dict[str, Any]) -> dict[str, Any]:
        """Labels of a take that begins."""
        simulated = {} if self._task is None else {"simulated": True, "seed": self._task.seed}
        return {**self._common, **simulated, **metadata}

    def at_end(self, metadata: dict[str, Any]) -> dict[str, Any]:
        """Labels of a take that ends."""
        return metadata if self._task is None else {"stages": self._stages(), **metadata}

    def success(self) -> bool:
        """Whether a take that is kept counts as a success: what the simulator says, yes without one."""
        return self._task is None or all(self._stages().values())

    def _stages(self) -> dict[str, bool]:
        assert self._task is not None
        return dict(zip(self._task.stages, map(bool, self._task.reached), strict=True))
