"""Which images an analysis looks at, and where they come from."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from theia_core.errors import TheiaError
from theia_training.sources import ImageSource, UnreadableImage

if TYPE_CHECKING:
    from theia_training.features.store import Columns, FeatureStore


@dataclass(frozen=True)
class AnalysedImage:
    """One image.

    Attributes:
        key: its name.
        pixels: (H, W, 3) uint8 RGB.
        true: teacher -> features (h*w, C) float32 as the teacher gives them, where a feature store has them.
    """

    key: str
    pixels: np.ndarray
    true: dict[str, np.ndarray]


def images_of_sources(
    sources: Sequence[ImageSource], limit: int, on_skipped: Callable[[str], None]
) -> Iterator[AnalysedImage]:
    """Up to `limit` images; unreadable ones are told to `on_skipped` and the next ones take their places."""
    refs = [(ref, source) for source in sources for ref in source.refs()]
    left = limit
    for ref, source in spread(refs, [ref.source for ref, _ in refs]):
        if left == 0:
            return
        try:
            pixels = source.load(ref)
        except UnreadableImage as error:
            on_skipped(str(error))
            continue
        left -= 1
        yield AnalysedImage(ref.key, pixels, {})


def images_of_stores(stores: "Sequence[FeatureStore | Columns]", limit: int) -> Iterator[AnalysedImage]:
    """Up to `limit` held-out images of feature stores with their true features.

    Raises:
        TheiaError: if the stores hold no held-out image, or a sample cannot be read.
    """
    from theia_training.features.encoding import decode
    from theia_training.features.shard import IMAGE

    places = [
        (store, place)
        for store in stores
        for place, (_, entry) in enumerate(store.entries)
        if entry.split == "held_out"
    ]
    if not places:
        raise TheiaError("the feature stores hold no held-out image; name a folder with --images")
    sources = [store.entries[place][1].source for store, place in places]
    for store, place in spread(places, sources)[:limit]:
        sample = store.sample(place)
        true = {teacher.name: decode(teacher.name, sample.tensors).numpy() for teacher in store.teachers}
        yield AnalysedImage(sample.key, sample.tensors[IMAGE].numpy(), true)


def spread(items: Sequence, sources: Sequence[str]) -> list:
    """Items in an order whose every beginning is spread over the sources.

    First comes one item of each source, then the second of each, and so on; sources come in the order of a
    van der Corput sequence, so that neighbours in the alphabet, which are often alike, do not come together.
    """
    groups: dict[str, list] = defaultdict(list)
    for item, source in zip(items, sources, strict=True):
        groups[source].append(item)
    ordered = [groups[source] for source in sorted(groups)]
    bits = max(1, (len(ordered) - 1).bit_length())
    ordered = [
        ordered[place]
        for place in sorted(range(len(ordered)), key=lambda place: int(f"{place:0{bits}b}"[::-1], 2))
    ]
    rounds = zip_longest(*ordered, fillvalue=_NONE)
    return [item for round_ in rounds for item in round_ if item is not _NONE]


_NONE = object()
