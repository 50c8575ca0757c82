"""One vector per labelled image and encoder, ready to be probed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from theia_core.analysis.pooling import check_pool
from theia_core.analysis.probe_page import LabelledClass
from theia_core.encoders import Encoder
from theia_core.errors import TheiaError
from theia_core.images import Preprocessing
from theia_training.analysis.labelled_images import LabelledFolder, LabelledImage
from theia_training.analysis.vector_cache import VectorCache
from theia_training.sources import UnreadableImage

_EXAMPLE_PX = 128


@dataclass(frozen=True)
class ClassVectors:
    """Vectors of B labelled images.

    Attributes:
        vectors: encoder's label -> (B, d) float32.
        labels: class of each image.
        sources: what each image was cut from.
        classes: the classes, sorted by name, with an example of each.
        unreadable: why images were left out.
    """

    vectors: dict[str, np.ndarray]
    labels: list[str]
    sources: list[str]
    classes: list[LabelledClass]
    unreadable: list[str]


def class_vectors(
    folder: LabelledFolder,
    images: Iterable[LabelledImage],
    encoders: Mapping[str, Encoder],
    pool: str,
    cache: Path,
) -> ClassVectors:
    """Encode `images` of `folder`; those in the `cache` folder are not encoded again.

    Raises:
        TheiaError: if `pool` is none of an encoder's poolings, or no image can be read.
    """
    for encoder in encoders.values():
        check_pool(pool, encoder.spec)
    caches = {label: VectorCache(cache, encoder) for label, encoder in encoders.items()}
    rows: dict[str, list[np.ndarray]] = {label: [] for label in encoders}
    used, examples, unreadable = [], {}, []
    resize = Preprocessing(_EXAMPLE_PX).resize
    try:
        for image in images:
            try:
                pixels = folder.load(image)
            except UnreadableImage as error:
                unreadable.append(str(error))
                continue
            used.append(image)
            if image.label not in examples:
                examples[image.label] = resize(pixels)[0]
            for label, store in caches.items():
                rows[label].append(store.vector(pixels, pool))
    finally:
        for store in caches.values():
            store.save()
    if not used:
        raise TheiaError(f"none of the images can be read; the first reason: {unreadable[:1]}")
    labels = [image.label for image in used]
    classes = [
        LabelledClass(name, labels.count(name), len({i.source for i in used if i.label == name}), example)
        for name, example in sorted(examples.items())
    ]
    stacked = {label: np.stack(vectors) for label, vectors in rows.items()}
    return ClassVectors(stacked, labels, [image.source for image in used], classes, unreadable)
