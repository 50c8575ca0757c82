"""Camera frames of recorded episodes (MCAP) as a source."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from theia_core.episodes import load_episode
from theia_core.episodes.codec import decode_raw
from theia_core.errors import TheiaError
from theia_training.sources.image_source import ImageRef, UnreadableImage
from theia_training.sources.listing import clean_key
from theia_training.sources.pixels import decode_rgb


class BagSource:
    """Every n-th camera frame of episodes; an image's source is its episode.

    Frames are read from the file one after another: loading in the order of the keys reads each episode once,
    any other order reads it again for every step back.
    """

    def __init__(self, root: Path, paths: Sequence[Path], every: int = 1) -> None:
        """Check the episodes and count their frames.

        Args:
            root: the folder, or the only episode, after which the keys are named.
            paths: episodes.
            every: take frames 0, n, 2n ...

        Raises:
            TheiaError: if an episode is damaged or has no camera, or two have the same key.
        """
        self._paths: dict[str, Path] = {}
        self._refs: list[ImageRef] = []
        self._position: _Position | None = None
        folder = root if root.is_dir() else root.parent
        for path in paths:
            inner = path.relative_to(folder).with_suffix("").as_posix()
            source = clean_key(f"{folder.resolve().name}/{inner}")
            if source in self._paths:
                raise TheiaError(
                    f"{path} and {self._paths[source]} would both be {source}; rename one of them"
                )
            self._paths[source] = path
            episode = load_episode(path)
            count = episode.topics[episode.image_topic].message_count
            self._refs += [ImageRef(f"{source}/{index:06d}", source) for index in range(0, count, every)]
        if not self._refs:
            raise TheiaError(f"{root} holds no camera frame; record episodes with a camera")
        self._refs.sort()

    def refs(self) -> list[ImageRef]:
        """All frames, sorted by key, which within an episode is their order in time of recording."""
        return list(self._refs)

    def load(self, ref: ImageRef) -> np.ndarray:
        """Pixels (H, W, 3) uint8 RGB.

        Raises:
            UnreadableImage: if the frame cannot be decoded.
        """
        path, index = self._paths[ref.source], int(ref.key.rpartition("/")[2])
        name = f"{path}: camera frame {index}"
        try:
            message = self._message(path, index)
            if hasattr(message, "format"):
                return decode_rgb(bytes(message.data), name)
            return decode_raw(message)
        except UnreadableImage:
            raise
        except TheiaError as error:
            raise UnreadableImage(f"{name} cannot be used: {error}") from error

    def _message(self, path: Path, index: int) -> Any:
        position = self._position
        if position is None or position.path != path or position.next > index:
            position = self._position = _Position(path)
        try:
            return position.advance(index)
        except BaseException:
            self._position = None
            raise

    def __getstate__(self) -> dict[str, Any]:
        """For other processes: everything but the open episode."""
        return {**self.__dict__, "_position": None}


class _Position:
    """A place in the camera topic of one episode."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.next = 0
        episode = load_episode(path)
        self._messages: Iterator[tuple[int, Any]] = episode.messages(episode.image_topic)

    def advance(self, index: int) -> Any:
        """The message at `index`, which is not before `next`."""
        for _, message in self._messages:
            self.next += 1
            if self.next > index:
                return message
        raise UnreadableImage(f"{self.path} ends before camera frame {index}; it was changed while in use")
