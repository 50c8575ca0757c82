"""A folder with one subfolder of images per class."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from theia_core.errors import TheiaError
from theia_training.analysis.analysed_images import spread
from theia_training.sources import ImageRef, open_source


@dataclass(frozen=True)
class LabelledImage:
    """One labelled image.

    Attributes:
        ref: its key.
        label: its class.
        source: what it was cut from, whichever class it is in: the same for `a/NAME__0.jpg` and
            `b/NAME__1.jpg`.
    """

    ref: ImageRef
    label: str
    source: str


class LabelledFolder:
    """Images whose class is the first folder they lie in.

    Attributes:
        images: sorted by key.
    """

    def __init__(self, folder: Path, most: int | None = None) -> None:
        """List the folder.

        Args:
            folder: holds one folder per class.
            most: images of a class that are used, spread over its sources; all by default.

        Raises:
            TheiaError: if there is no such folder, or images lie beside the class folders.
        """
        if not folder.is_dir():
            raise TheiaError(f"there is no folder {folder}; give one with a subfolder of images per class")
        self._source = open_source(folder)
        found: dict[str, list[LabelledImage]] = {}
        for ref in self._source.refs():
            _, *inner = ref.key.split("/")
            if len(inner) < 2:
                raise TheiaError(
                    f"{folder} has the image {inner[0]} beside its class folders; move it into one of them"
                )
            source = "/".join(ref.source.split("/")[2:])
            found.setdefault(inner[0], []).append(LabelledImage(ref, inner[0], source))
        chosen = [spread(images, [image.source for image in images])[:most] for images in found.values()]
        self.images = sorted(
            (image for images in chosen for image in images), key=lambda image: image.ref.key
        )

    def load(self, image: LabelledImage) -> np.ndarray:
        """Pixels (H, W, 3) uint8 RGB.

        Raises:
            UnreadableImage: if the file cannot be used.
        """
        return self._source.load(image.ref)
