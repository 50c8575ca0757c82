"""A folder of image files as a source."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from theia_core.errors import TheiaError
from theia_training.sources.image_source import ImageRef, UnreadableImage
from theia_training.sources.listing import clean_key, source_name
from theia_training.sources.pixels import decode_rgb


class FolderSource:
    """Image files in a folder and below it.

    Keys are the folder's name and the file's path without its suffix; an image's source is the same up to the
    first "__" of the file's name.
    """

    def __init__(self, folder: Path, paths: Sequence[Path], every: int = 1) -> None:
        """Name the images.

        Args:
            folder: the folder; its own name begins every key.
            paths: image files below it.
            every: take images 0, n, 2n ... of those sorted by key.

        Raises:
            TheiaError: if two files would get the same key.
        """
        self.folder = folder
        self._paths: dict[str, Path] = {}
        refs = []
        name = folder.resolve().name
        for path in paths:
            parent = Path(name) / path.parent.relative_to(folder)
            key = clean_key((parent / path.stem).as_posix())
            if key in self._paths:
                raise TheiaError(
                    f"{path} and {self._paths[key]} would both be the image {key}; rename one of them"
                )
            self._paths[key] = path
            refs.append(ImageRef(key, clean_key((parent / source_name(path.stem)).as_posix())))
        self._refs = sorted(refs)[::every]

    def refs(self) -> list[ImageRef]:
        """All images that are taken, sorted by key."""
        return list(self._refs)

    def load(self, ref: ImageRef) -> np.ndarray:
        """Pixels (H, W, 3) uint8 RGB.

        Raises:
            UnreadableImage: if the file cannot be used.
        """
        path = self._paths[ref.key]
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UnreadableImage(
                f"{path} cannot be read: {error.strerror}; check its permissions"
            ) from error
        return decode_rgb(data, str(path))
