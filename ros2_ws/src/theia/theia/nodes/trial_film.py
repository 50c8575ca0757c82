"""The film of an evaluation: camera frames with captions, and one picture of the tokens."""

import queue
import threading
from pathlib import Path

import cv2
import numpy as np

from theia_core.analysis.token_map import token_picture
from theia_core.video import VideoWriter

_Text = tuple[tuple[str, str], tuple[str, str]]
_BAR_PX = 46
_QUEUED_FRAMES = 100
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_MODE_COLOURS = {
    "ACTIVE": (110, 220, 130),
    "HOLD": (245, 200, 80),
    "FAULT": (250, 100, 90),
    "ESTOP": (250, 100, 90),
}


class TrialFilm:
    """Writes an mp4 in a thread of its own, so that drawing and compressing delay nobody's messages.

    Attributes:
        caption: (left, right) text of the upper line: what is tried.
        status: (guard mode, text) of the lower line.
        rolling: whether frames are taken.
        dropped: frames that came faster than they could be compressed.
    """

    def __init__(self, path: Path, fps: float) -> None:
        """Begin the film at `path`."""
        self.caption = ("", "")
        self.status = ("", "")
        self.rolling = False
        self.dropped = 0
        self._writer = VideoWriter(path, fps)
        self._frames: queue.Queue[tuple[np.ndarray, _Text] | None] = queue.Queue(_QUEUED_FRAMES)
        self._thread = threading.Thread(target=self._work, name="film", daemon=True)
        self._thread.start()

    def add(self, rgb: np.ndarray) -> None:
        """Append a frame (H, W, 3) uint8 RGB while `rolling`; returns at once."""
        if not self.rolling:
            return
        try:
            self._frames.put_nowait((rgb, (self.caption, self.status)))
        except queue.Full:
            self.dropped += 1

    def close(self) -> Path | None:
        """Finish; None if there is no frame."""
        self.rolling = False
        self._frames.put(None)
        self._thread.join()
        return self._writer.close() if self._writer.frames else None

    def _work(self) -> None:
        while (item := self._frames.get()) is not None:
            self._writer.write(_captioned(*item))


def _captioned(rgb: np.ndarray, text: _Text) -> np.ndarray:
    """The frame with two lines of text below it."""
    (left, right), (mode, status) = text
    height, width = rgb.shape[:2]
    frame = np.empty((height + _BAR_PX, width, 3), np.uint8)
    frame[:height] = rgb
    frame[height:] = (24, 26, 30)
    (right_px, _), _ = cv2.getTextSize(right, _FONT, 0.45, 1)
    _write(frame, left, (8, height + 18), (235, 235, 235))
    _write(frame, right, (width - right_px - 8, height + 18), (170, 180, 190))
    _write(frame, mode, (8, height + 38), _MODE_COLOURS.get(mode, (170, 180, 190)))
    _write(frame, status, (90, height + 38), (235, 235, 235))
    return frame


def write_token_map(path: Path, tokens: np.ndarray, grid: tuple[int, int], rgb: np.ndarray) -> None:
    """A PNG of a frame and its tokens (h*w, d)."""
    picture = token_picture(tokens, grid, rgb)
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def _write(frame: np.ndarray, text: str, place: tuple[int, int], colour: tuple[int, int, int]) -> None:
    cv2.putText(frame, text, place, _FONT, 0.45, colour, 1, cv2.LINE_AA)
