"""Videos that browsers play, H.264 in MP4 with the index at the front: written, and seen at a glance."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from theia_core.errors import MissingExtraError, TheiaError
from theia_core.film_strip import film_strip, moments


class VideoWriter:
    """Writes RGB frames to an MP4 file; use it in a `with` block or call `close`.

    The file appears under its name when it is closed; until then it is `<name>.partial.mp4`.
    """

    def __init__(self, path: Path | str, fps: float, *, quality: int = 23) -> None:
        """Begin a video; its size is that of the first frame.

        Args:
            path: the file, ending in ".mp4"; one that exists is replaced.
            fps: frames per second of playback.
            quality: H.264's constant rate factor, 0 (lossless) to 51; smaller is better.

        Raises:
            MissingExtraError: if PyAV is not installed.
            TheiaError: if the name does not end in .mp4 or the folder does not exist.
        """
        self.path = Path(path)
        if self.path.suffix != ".mp4":
            raise TheiaError(f"a video's name must end in .mp4, not {self.path.name}")
        if not self.path.parent.is_dir():
            raise TheiaError(f"the folder of video {self.path} does not exist; make it first")
        try:
            import av
        except ModuleNotFoundError as error:
            raise MissingExtraError("av", "sim") from error
        self.frames = 0
        self._av = av
        self._fps = Fraction(fps).limit_denominator(1000)
        self._quality = quality
        self._partial = self.path.with_suffix(".partial.mp4")
        self._size: tuple[int, int] | None = None
        self._stream: Any = None
        self._container: Any = av.open(str(self._partial), "w", options={"movflags": "+faststart"})

    def write(self, rgb: np.ndarray) -> None:
        """Append a frame, (H, W, 3) uint8 RGB; an odd last row or column is left out, H.264 has none.

        Raises:
            TheiaError: if the frame has another shape, dtype or size than the first.
        """
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
            raise TheiaError(
                f"a video frame must be (height, width, 3) uint8 RGB, not {rgb.shape} {rgb.dtype}"
            )
        if self._container is None:
            raise TheiaError(f"video {self.path} is closed; no frame can be added")
        height, width = rgb.shape[:2]
        if self._size is None:
            self._begin(height, width)
        if self._size != (height, width):
            raise TheiaError(f"video {self.path} has frames of {self._size}, not {(height, width)}")
        even = np.ascontiguousarray(rgb[: height // 2 * 2, : width // 2 * 2])
        frame = self._av.VideoFrame.from_ndarray(even, format="rgb24")
        self._container.mux(self._stream.encode(frame))
        self.frames += 1

    def close(self) -> Path:
        """Finish the video and return its path. Closing again does nothing.

        Raises:
            TheiaError: if no frame was written; then there is no file.
        """
        if self._container is None:
            return self.path
        if self._stream is not None:
            self._container.mux(self._stream.encode())
        self._container.close()
        self._container = None
        if self.frames == 0:
            self._partial.unlink(missing_ok=True)
            raise TheiaError(f"video {self.path} has no frames; write at least one")
        return self._partial.replace(self.path)

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or self.frames:
            self.close()
        else:
            self._container.close()
            self._partial.unlink(missing_ok=True)

    def _begin(self, height: int, width: int) -> None:
        self._size = (height, width)
        self._stream = self._container.add_stream("libx264", rate=self._fps)
        self._stream.width, self._stream.height = width // 2 * 2, height // 2 * 2
        self._stream.pix_fmt = "yuv420p"
        self._stream.thread_count = 1
        self._stream.options = {"crf": str(self._quality), "preset": "veryfast"}


def video_strip(path: Path, frames: int = 8, columns: int = 4, width: int = 240) -> np.ndarray:
    """Evenly spaced frames of a video with their times, as rows of `columns` pictures.

    Args:
        path: a video file.
        frames: number of pictures; fewer if the video has fewer.
        columns: pictures in a row.
        width: of one picture, pixels.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        MissingExtraError: if PyAV is not installed.
        TheiaError: if the video is absent or cannot be read.
    """
    try:
        import av
    except ModuleNotFoundError as error:
        raise MissingExtraError("av", "sim") from error
    if not path.is_file():
        raise TheiaError(f"no video {path}; keep it beside the ledger that names it")
    try:
        with av.open(str(path)) as container:
            decoded = container.decode(video=0)
            found = [(frame.time or 0.0, frame.to_ndarray(format="rgb24")) for frame in decoded]
    except (av.error.FFmpegError, IndexError) as error:
        raise TheiaError(f"video {path} cannot be read ({error}); record it again") from error
    if not found:
        raise TheiaError(f"video {path} has no frames; record it again")
    return film_strip([found[place] for place in moments(len(found), frames)], columns, width)
