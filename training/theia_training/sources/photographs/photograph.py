"""One photograph with what must be known to use it, and how two of them are told to be the same."""

import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from PIL import Image, UnidentifiedImageError

from theia_training.sources.image_source import UnreadableImage

_REDUCED_SIDE = 32
_SAME_CORRELATION = 0.97


@dataclass(frozen=True)
class Photograph:
    """A photograph as its package ships it.

    Attributes:
        name: what its crops' names begin with; letters, digits, `_` and `-`, never "__".
        package: package and version.
        licence: short name, as the package states it for this file.
        origin: holders and, where given, address.
        path: where it is in the package.
        data: the file's bytes.
        cutout: whether it is an object on a transparent background.
    """

    name: str
    package: str
    version: str
    licence: str
    origin: str
    path: str
    data: bytes
    cutout: bool = False

    @property
    def sha256(self) -> str:
        """Of the file, in hex."""
        return hashlib.sha256(self.data).hexdigest()

    def open(self) -> Image.Image:
        """The picture: RGBA for cut-outs, RGB for others.

        Raises:
            UnreadableImage: if the bytes are no whole picture.
        """
        try:
            with Image.open(io.BytesIO(self.data)) as image:
                return image.convert("RGBA" if self.cutout else "RGB")
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
            raise UnreadableImage(f"{self.package}: {self.path} cannot be decoded: {error}") from error


def photograph_name(short: str, path: str) -> str:
    """A name from a path: the package's short name, the last folder that says something, and the stem."""
    parts = [part for part in PurePosixPath(path).with_suffix("").parts if part.lower() not in _SILENT]
    text = "-".join([short, *parts[-2:]])
    return re.sub(r"_{2,}", "_", re.sub(r"[^A-Za-z0-9_-]+", "-", text)).strip("-_")


# Folders that say nothing of what a picture shows.
_SILENT = {
    "/", "2560x1600", "activities", "animals", "backgrounds", "collection", "contents", "data", "datasets",
    "gcompris", "image", "images", "img", "mate", "media", "palapeli", "resource", "scratch", "share", "src",
    "stamps", "tuxpaint", "usr", "wallpapers",
}  # fmt: skip


class SeenPhotographs:
    """Finds photographs that were there before, also in another size or compression.

    Two are the same if their grey 32x32 reductions correlate above 0.97. Of the catalogue's photographs the
    three repeated ones reach 0.999, and the most alike different ones (round fruit on white) 0.94.
    """

    def __init__(self) -> None:
        self._names: list[str] = []
        self._reductions: list[np.ndarray] = []

    def same_as(self, name: str, image: Image.Image) -> str | None:
        """Name of the earlier photograph that `image` repeats; if there is none, remember it as `name`."""
        reduction = _reduction(image)
        if self._reductions:
            correlations = np.stack(self._reductions) @ reduction
            nearest = int(np.argmax(correlations))
            if correlations[nearest] > _SAME_CORRELATION:
                return self._names[nearest]
        self._names.append(name)
        self._reductions.append(reduction)
        return None


def _reduction(image: Image.Image) -> np.ndarray:
    """(1024,) float64 grey values without their mean, of length 1 (0 for a uniform picture)."""
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image)
    grey = image.convert("L").resize((_REDUCED_SIDE, _REDUCED_SIDE), Image.Resampling.BOX)
    values = np.asarray(grey, np.float64).ravel()
    values -= values.mean()
    return values / max(float(np.linalg.norm(values)), 1e-9)
