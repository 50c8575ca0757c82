"""LeRobotDataset v3: steps in Parquet, frames as H.264, statistics and an index of episodes beside them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from theia_core.episodes.exports.lerobot_stats import FrameStatistics, combined, of_vectors
from theia_core.episodes.exports.lerobot_tables import pa_table, tasks_table, write_parquet
from theia_core.episodes.exports.steps import ExportedEpisode, Size, action_names, read, state_names
from theia_core.errors import TheiaError
from theia_core.files import write_json
from theia_core.video import VideoWriter

VERSION = "v3.0"
STATE, ACTION = "observation.state", "action"
CAMERA = "observation.images.policy"
_FILES_IN_CHUNK = 1000
_FRAMES_IN_VIDEO = 10_000
_PATTERN = "chunk-{chunk_index:03d}/file-{file_index:03d}"
_ROW = ("timestamp", "frame_index", "episode_index", "index", "task_index")


def export_lerobot(
    paths: Sequence[Path],
    out: Path,
    *,
    rate_hz: float = 5.0,
    size: Size | None = None,
    progress: bool = True,
) -> int:
    """Write episodes as a LeRobotDataset v3; returns the number of frames.

    Args:
        paths: episodes, in the order of their numbers.
        out: the dataset's folder; must be empty or absent.
        rate_hz: control rate, a whole number.
        size: (width, height) of the frames; as recorded if None.
        progress: show a progress bar.

    Raises:
        MissingExtraError: if pyarrow or PyAV is not installed.
        TheiaError: if the folder is not empty, or an episode cannot be read.
    """
    if rate_hz != round(rate_hz):
        raise TheiaError(f"LeRobot's rates are whole numbers, not {rate_hz}")
    if out.exists() and any(out.iterdir()):
        raise TheiaError(f"{out} is not empty; choose a new folder, nothing is overwritten")
    pa_table({})  # says at once if pyarrow is missing
    writer = _Writer(out, round(rate_hz), size)
    try:
        for path in tqdm(paths, desc="LeRobot", unit="episode", disable=not progress):
            writer.add(read(path, rate_hz))
    finally:
        writer.close_video()
    return writer.finish()


class _Writer:
    """Collects rows and statistics, writes video as it goes."""

    def __init__(self, out: Path, fps: int, size: Size | None) -> None:
        self.out, self.fps, self.size = out, fps, size
        self.rows: dict[str, list[Any]] = {name: [] for name in (STATE, ACTION, *_ROW)}
        self.episodes: list[dict[str, Any]] = []
        self.tasks: dict[str, int] = {}
        self.shape: tuple[int, int] | None = None
        self._stats: list[dict[str, dict[str, Any]]] = []
        self._video: VideoWriter | None = None
        self._video_number = -1
        self._robot = "unknown"

    def add(self, episode: ExportedEpisode) -> None:
        """Append one episode."""
        steps, number, first = episode.steps, len(self.episodes), len(self.rows["index"])
        count = len(steps)
        self._robot = str(episode.metadata.get("robot", self._robot))
        task = self.tasks.setdefault(episode.instruction, len(self.tasks))
        video, offset, frames = self._film(episode)
        columns: dict[str, np.ndarray] = {
            STATE: steps.joints.astype(np.float32),
            ACTION: steps.actions.astype(np.float32),
            "timestamp": np.arange(count, dtype=np.float32) / self.fps,
            "frame_index": np.arange(count),
            "episode_index": np.full(count, number),
            "index": np.arange(first, first + count),
            "task_index": np.full(count, task),
        }
        for name, values in columns.items():
            self.rows[name].extend(values.tolist())
        stats = {name: of_vectors(values.reshape(count, -1)) for name, values in columns.items()}
        stats[CAMERA] = frames.result()
        self._stats.append(stats)
        self.episodes.append(
            {
                "episode_index": number,
                "tasks": [episode.instruction],
                "length": count,
                "data/chunk_index": 0,
                "data/file_index": 0,
                "dataset_from_index": first,
                "dataset_to_index": first + count,
                f"videos/{CAMERA}/chunk_index": video // _FILES_IN_CHUNK,
                f"videos/{CAMERA}/file_index": video % _FILES_IN_CHUNK,
                f"videos/{CAMERA}/from_timestamp": offset / self.fps,
                f"videos/{CAMERA}/to_timestamp": (offset + count) / self.fps,
                **{f"stats/{name}/{key}": value for name, s in stats.items() for key, value in s.items()},
                "meta/episodes/chunk_index": 0,
                "meta/episodes/file_index": 0,
            }
        )

    def _film(self, episode: ExportedEpisode) -> tuple[int, int, FrameStatistics]:
        """Append the frames to the video; its number, how many it had before, and the frames' statistics."""
        if self._video is None or self._video.frames >= _FRAMES_IN_VIDEO:
            self.close_video()
            self._video_number += 1
            place = _PATTERN.format(
                chunk_index=self._video_number // _FILES_IN_CHUNK,
                file_index=self._video_number % _FILES_IN_CHUNK,
            )
            path = self.out / "videos" / CAMERA / f"{place}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            self._video = VideoWriter(path, self.fps, quality=18)
        offset, statistics = self._video.frames, FrameStatistics()
        for rgb in episode.frames(self.size):
            if self.shape not in (None, rgb.shape[:2]):
                raise TheiaError(
                    f"{episode.path} has frames of {rgb.shape[:2]}, others {self.shape}; give --size"
                )
            self.shape = (rgb.shape[0], rgb.shape[1])
            self._video.write(rgb)
            statistics.add(rgb)
        return self._video_number, offset, statistics

    def close_video(self) -> None:
        """Finish the video that is being written."""
        if self._video is not None and self._video.frames:
            self._video.close()
        self._video = None

    def finish(self) -> int:
        """Write tables and metadata."""
        assert self.shape is not None
        place = _PATTERN.format(chunk_index=0, file_index=0)
        write_parquet(self.out / f"data/{place}.parquet", pa_table(self.rows))
        columns = {name: [episode[name] for episode in self.episodes] for name in self.episodes[0]}
        write_parquet(self.out / f"meta/episodes/{place}.parquet", pa_table(columns))
        write_parquet(self.out / "meta/tasks.parquet", tasks_table(self.tasks))
        names = self._stats[0]
        write_json(self.out / "meta/stats.json", {n: combined([s[n] for s in self._stats]) for n in names})
        write_json(self.out / "meta/info.json", self._info())
        return len(self.rows["index"])

    def _info(self) -> dict[str, Any]:
        assert self.shape is not None
        height, width = (side // 2 * 2 for side in self.shape)

        def vector(names: list[str]) -> dict[str, Any]:
            return {"dtype": "float32", "shape": [len(names)], "names": names, "fps": self.fps}

        film = {
            "video.height": height,
            "video.width": width,
            "video.codec": "h264",
            "video.pix_fmt": "yuv420p",
            "video.is_depth_map": False,
            "video.fps": self.fps,
            "video.channels": 3,
            "has_audio": False,
        }
        camera = {"dtype": "video", "shape": [height, width, 3], "names": ["height", "width", "channels"]}
        kinds = {"timestamp": "float32"}
        plain = {
            name: {"dtype": kinds.get(name, "int64"), "shape": [1], "names": None, "fps": self.fps}
            for name in _ROW
        }
        return {
            "codebase_version": VERSION,
            "robot_type": self._robot,
            "total_episodes": len(self.episodes),
            "total_frames": len(self.rows["index"]),
            "total_tasks": len(self.tasks),
            "chunks_size": _FILES_IN_CHUNK,
            "data_files_size_in_mb": 100,
            "video_files_size_in_mb": 200,
            "fps": self.fps,
            "splits": {"train": f"0:{len(self.episodes)}"},
            "data_path": f"data/{_PATTERN}.parquet",
            "video_path": f"videos/{{video_key}}/{_PATTERN}.mp4",
            "features": {
                STATE: vector(state_names(len(self.rows[STATE][0]))),
                ACTION: vector(action_names(len(self.rows[ACTION][0]))),
                CAMERA: {**camera, "info": film},
                **plain,
            },
        }
