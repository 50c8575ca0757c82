"""The order in which samples are seen, and batches prepared ahead of the network.

Order is a function of seed and epoch, so a resumed run sees what an uninterrupted one would have seen.
"""

import queue
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from theia_core.errors import TheiaError
from theia_core.images import Preprocessing
from theia_training.features.encoding import CLS, SCALE, decode
from theia_training.features.manifest import TeacherEntry
from theia_training.features.shard import IMAGE
from theia_training.features.statistics import merged
from theia_training.features.store import Columns, FeatureStore, open_columns

_AHEAD = 3
# More shards than any store has; numbers a shard among those of all stores.
_SHARDS = 10**9


@dataclass(frozen=True)
class Batch:
    """What one forward pass takes.

    Attributes:
        images: (B, 3, S, S) float32, preprocessed.
        targets: teacher -> (B, tokens, C) float32, normalised; teacher + ".cls" -> (B, C) where asked for.
        keys: keys of the samples.
    """

    images: torch.Tensor
    targets: dict[str, torch.Tensor]
    keys: tuple[str, ...]


class FeatureSet:
    """Samples of several stores, with one set of teachers and one normalisation.

    Attributes:
        teachers: the teachers that are distilled; every store has them.
        stores: names of the stores.
        images: hash over the keys of each store.
        train: places of the training samples.
        held_out: places of the held-out samples.
    """

    def __init__(self, stores: Sequence[str], with_cls: bool = False, teachers: Collection[str] = ()) -> None:
        """Open the stores.

        Args:
            stores: folders of feature stores.
            with_cls: give the teachers' CLS features too.
            teachers: names of those that are wanted; empty for all.

        Raises:
            TheiaError: if a store cannot be read, has other teachers, or other weights of one, than the
                first, or lacks a teacher that is wanted.
        """
        self.stores = tuple(stores)
        self._stores: list[FeatureStore | Columns] = [open_columns(text) for text in stores]
        self.teachers: tuple[TeacherEntry, ...] = self._stores[0].teachers
        self.images = tuple(store.keys_sha256 for store in self._stores)
        for text, store in zip(stores, self._stores, strict=True):
            if set(store.teachers) != set(self.teachers):
                raise TheiaError(
                    f"{text} has features of {_named(store.teachers)}, but {stores[0]} of "
                    f"{_named(self.teachers)}; stores must be of the same teachers with the same weights"
                )
        if lacking := sorted(set(teachers) - {teacher.name for teacher in self.teachers}):
            raise TheiaError(
                f"{stores[0]} has no features of {', '.join(lacking)}, but of {_named(self.teachers)}"
            )
        if teachers:
            self.teachers = tuple(teacher for teacher in self.teachers if teacher.name in teachers)
        self.with_cls = with_cls
        if with_cls and (without := [t.name for t in self.teachers if not t.has_cls]):
            raise TheiaError(
                f"{', '.join(without)} has no CLS feature; distil CLS from vision transformers only"
            )
        self._places = [(store, place) for store in self._stores for place in range(len(store))]
        splits = [store.entries[place][1].split for store, place in self._places]
        self.train = np.flatnonzero([split == "train" for split in splits])
        self.held_out = np.flatnonzero([split == "held_out" for split in splits])
        if not len(self.train):
            raise TheiaError("the feature stores hold no training sample; extract more images")
        self._shards = np.array(
            [
                index * _SHARDS + store.entries[place][0]
                for index, store in enumerate(self._stores)
                for place in range(len(store))
            ]
        )
        self.normalisers = {}
        names = [teacher.name for teacher in self.teachers]
        for name in names + [name + CLS for name in names if with_cls]:
            moments = merged([store.moments(name) for store in self._stores])
            mean, std = moments.mean.astype(np.float32), moments.std.astype(np.float32)
            self.normalisers[name] = (torch.from_numpy(mean), torch.from_numpy(std))
        self._preprocessing = Preprocessing()

    def order(self, seed: int, epoch: int, window: int) -> np.ndarray:
        """Places of the training samples in the order of an epoch.

        Shards come in random order, and the samples of each `window` consecutive ones are shuffled together.
        """
        random = np.random.default_rng([seed, epoch])
        shards = self._shards[self.train]
        numbers = random.permutation(np.unique(shards))
        parts = []
        for start in range(0, len(numbers), window):
            members = self.train[np.isin(shards, numbers[start : start + window])]
            parts.append(random.permutation(members))
        return np.concatenate(parts)

    def held_out_of(self, store: str) -> np.ndarray:
        """Places of the held-out samples of one of `stores`."""
        return self.held_out[self._shards[self.held_out] // _SHARDS == self.stores.index(store)]

    def batch(self, places: Sequence[int] | np.ndarray) -> Batch:
        """Read, decode and normalise samples."""
        samples = [store.sample(index) for store, index in (self._places[place] for place in places)]
        images = np.stack([sample.tensors[IMAGE].numpy() for sample in samples])
        targets = {}
        for teacher in self.teachers:
            name = teacher.name
            stacked = {
                key: torch.stack([s.tensors[key] for s in samples])
                for key in (name, name + SCALE)
                if key in samples[0].tensors
            }
            mean, std = self.normalisers[name]
            targets[name] = (decode(name, stacked) - mean) / std
            if self.with_cls:
                mean, std = self.normalisers[name + CLS]
                targets[name + CLS] = (torch.stack([s.tensors[name + CLS] for s in samples]) - mean) / std
        return Batch(
            torch.from_numpy(self._preprocessing.apply(images)),
            targets,
            tuple(sample.key for sample in samples),
        )


def _named(teachers: Sequence[TeacherEntry]) -> str:
    return ", ".join(sorted(f"{teacher.name}@{teacher.weights_sha256[:12]}" for teacher in teachers))


def prefetched(features: FeatureSet, batches: Sequence[np.ndarray]) -> Iterator[Batch]:
    """Batches in order, read by a thread of their own a few ahead of their use."""
    ready: queue.Queue[Batch | BaseException] = queue.Queue(_AHEAD)
    stopped = threading.Event()

    def read() -> None:
        for places in batches:
            try:
                item: Batch | BaseException = features.batch(places)
            except BaseException as error:  # handed to the training loop, which raises it
                item = error
            while not stopped.is_set():
                try:
                    ready.put(item, timeout=0.1)
                    break
                except queue.Full:
                    continue
            if stopped.is_set() or isinstance(item, BaseException):
                return

    thread = threading.Thread(target=read, name="feed", daemon=True)
    thread.start()
    try:
        for _ in batches:
            item = ready.get()
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        thread.join()
