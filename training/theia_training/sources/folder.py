"""A folder of image files as a source."""

import re
from pathlib import Path

import numpy as np

from theia_core.errors import TheiaError
from theia_training.sources.image_source import ImageRef, UnreadableImage
from theia_training.sources.pixels import IMAGE_SUFFIXES, decode_rgb

CROP_MARK = "__"  # `NAME__003.jpg` was cut from NAME
_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9_./-]")


def clean_key(text: str) -> str:
    """`text` with every character that keys do not have replaced by a hyphen."""
    return _NOT_IN_KEYS.sub("-", text)


class FolderSource:
    """Image files in a folder and below it; hidden files and folders are left out.

    Keys are the folder's name and the file's path without its suffix; an image's source is the same up to the
    first "__" of the file's name.
    """

    def __init__(self, folder: Path) -> None:
        """List the folder.

        Raises:
            TheiaError: if it holds no image, or two files whose keys are equal.
        """
        self.folder = folder.resolve()
        self._paths: dict[str, Path] = {}
        self._refs: list[ImageRef] = []
        for path in sorted(self.folder.rglob("*")):
            inner = path.relative_to(self.folder)
            if path.suffix.lower() not in IMAGE_SUFFIXES or any(part.startswith(".") for part in inner.parts):
                continue
            parent = Path(self.folder.name) / inner.parent
            key = clean_key((parent / path.stem).as_posix())
            if key in self._paths:
                raise TheiaError(
                    f"{path} and {self._paths[key]} would both be the image {key}; rename one of them"
                )
            self._paths[key] = path
            source = clean_key((parent / path.stem.split(CROP_MARK)[0]).as_posix())
            self._refs.append(ImageRef(key, source))
        if not self._refs:
            raise TheiaError(f"{folder} holds no images ({', '.join(IMAGE_SUFFIXES)}); give another folder")
        self._refs.sort()

    def refs(self) -> list[ImageRef]:
        """All images, sorted by key."""
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
