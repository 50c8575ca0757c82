"""Writing videos that browsers play: H.264 in MP4, its index at the front."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from theia_core.errors import MissingExtraError, TheiaError


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
