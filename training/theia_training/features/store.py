"""Random access to the samples of a feature store."""

import os
import threading
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load

from theia_core.errors import TheiaError
from theia_training.features.encoding import CLS
from theia_training.features.manifest import Manifest, TeacherEntry
from theia_training.features.shard import Entry, ShardIndex, index_path, tar_path
from theia_training.features.statistics import Moments, merged


class Sample(NamedTuple):
    """One stored sample: what identifies it, and its tensors as stored (see `encoding.decode`)."""

    key: str
    source: str
    split: str
    tensors: dict[str, torch.Tensor]


class FeatureStore:
    """Finished shards of a store. Reading is safe from several threads.

    Attributes:
        manifest: what the store holds.
        entries: (shard, entry) of every sample, in order.
    """

    def __init__(self, folder: Path, require_complete: bool = True) -> None:
        """Open the store in `folder`.

        Raises:
            TheiaError: if it is no store, or shards are missing although `require_complete`.
        """
        self.folder, self.manifest = Path(folder), Manifest.read(Path(folder))
        self.indices: dict[int, ShardIndex] = {}
        for number in range(self.manifest.shards):
            if index_path(self.folder, number).exists():
                self.indices[number] = index = ShardIndex.read(index_path(self.folder, number))
                if index.store != self.manifest.identity:
                    raise TheiaError(
                        f"{tar_path(self.folder, number)} belongs to another feature store; delete it with "
                        "its index, and `theia features` writes it again"
                    )
        missing = self.manifest.shards - len(self.indices)
        if missing and require_complete:
            raise TheiaError(
                f"{self.folder} lacks {missing} of {self.manifest.shards} shards; run the same `theia "
                "features` command again to finish it"
            )
        self.entries: list[tuple[int, Entry]] = [
            (n, e) for n, index in self.indices.items() for e in index.samples
        ]
        self._files: dict[int, int] = {}
        self._opening = threading.Lock()

    @property
    def teachers(self) -> tuple[TeacherEntry, ...]:
        """The teachers whose features are stored."""
        return self.manifest.teachers

    @property
    def keys_sha256(self) -> str:
        """Hash over the keys of its images."""
        return self.manifest.keys_sha256

    def moments(self, teacher: str) -> Moments:
        """Moments of a teacher's channels over the training samples."""
        return merged([index.moments[teacher] for index in self.indices.values() if teacher in index.moments])

    def sample(self, place: int) -> Sample:
        """Sample `place`.

        Raises:
            TheiaError: if it cannot be read.
        """
        number, entry = self.entries[place]
        try:
            data = os.pread(self._file(number), entry.size, entry.offset)
            if zlib.crc32(data) != entry.crc32:
                raise ValueError("its checksum is not the recorded one")
            tensors = load(data)
        except Exception as error:  # safetensors raises its own class, which derives from Exception alone
            raise TheiaError(
                f"sample {entry.key} of {tar_path(self.folder, number)} cannot be read ({error}); "
                f"run: theia features check {self.folder}"
            ) from error
        return Sample(entry.key, entry.source, entry.split, tensors)

    def _file(self, number: int) -> int:
        with self._opening:
            if number not in self._files:
                self._files[number] = os.open(tar_path(self.folder, number), os.O_RDONLY)
            return self._files[number]

    def __len__(self) -> int:
        return len(self.entries)

    def __del__(self) -> None:
        for file in getattr(self, "_files", {}).values():
            os.close(file)


class Columns:
    """Stores of the same images with different teachers, read as one; keys and images must agree.

    Several columns save a second extraction when a teacher is added later.
    """

    def __init__(self, stores: Sequence[FeatureStore]) -> None:
        """Zip `stores`.

        Raises:
            TheiaError: if keys differ, or a teacher is in two of them.
        """
        self.stores = list(stores)
        first = self.stores[0]
        self.entries = first.entries
        for other in self.stores[1:]:
            for (_, a), (_, b) in zip(first.entries, other.entries, strict=False):
                if (a.key, a.split) != (b.key, b.split):
                    raise TheiaError(
                        f"{first.folder} has the sample {a.key} ({a.split}) where {other.folder} has {b.key} "
                        f"({b.split}); columns must be of the same images, with the same skipped ones"
                    )
            if len(first) != len(other):
                raise TheiaError(
                    f"{first.folder} has {len(first)} samples, {other.folder} {len(other)}; columns must "
                    "be of the same images"
                )
        names = [teacher.name for teacher in self.teachers]
        if len(set(names)) != len(names):
            raise TheiaError(
                f"a teacher is in two columns: {', '.join(names)}; name one store of each teacher"
            )

    @property
    def teachers(self) -> tuple[TeacherEntry, ...]:
        """The teachers of all columns."""
        return tuple(teacher for store in self.stores for teacher in store.teachers)

    @property
    def keys_sha256(self) -> str:
        """Hash over the keys of the images, which all columns share."""
        return self.stores[0].keys_sha256

    def moments(self, teacher: str) -> Moments:
        """Moments of a teacher's channels over the training samples."""
        name = teacher.removesuffix(CLS)
        return next(s for s in self.stores if name in [t.name for t in s.teachers]).moments(teacher)

    def sample(self, place: int) -> Sample:
        """Sample `place` with the tensors of all columns.

        Raises:
            TheiaError: if it cannot be read, or the columns hold different images under its key.
        """
        samples = [store.sample(place) for store in self.stores]
        tensors = dict(samples[0].tensors)
        for other in samples[1:]:
            if not torch.equal(other.tensors["image"], tensors["image"]):
                raise TheiaError(
                    f"the columns hold different images under {other.key}; extract them again from the same "
                    "images"
                )
            tensors |= other.tensors
        return samples[0]._replace(tensors=tensors)

    def __len__(self) -> int:
        return len(self.entries)


def open_columns(text: str) -> FeatureStore | Columns:
    """A store from its folder, or columns from folders joined by '+'."""
    stores = [FeatureStore(Path(part)) for part in text.split("+")]
    return stores[0] if len(stores) == 1 else Columns(stores)
