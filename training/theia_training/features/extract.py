"""Extract teacher features over images into shards; restartable at any moment, parallel over ranks.

Which images make a shard follows from the sorted keys alone, so a rank needs no word from the others: rank r
of R writes the shards r, r + R, r + 2R, ... and leaves out those whose index exists.
"""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from theia_core.errors import TheiaError
from theia_core.files import whole_file, write_json
from theia_core.images import Preprocessing
from theia_training.features.encoding import CLS, decode, encode
from theia_training.features.manifest import FILE, Manifest, TeacherEntry, keys_sha256, split_of
from theia_training.features.shard import (
    IMAGE,
    ShardIndex,
    ShardWriter,
    finish_shard,
    index_path,
    tar_path,
)
from theia_training.features.statistics import Moments
from theia_training.sources import ImageRef, ImageSource, UnreadableImage

if TYPE_CHECKING:
    from theia_training.teachers import Teacher

# More than this share of a shard skipped is not a bad image here and there, but a wrong folder or teacher.
SKIPPED_LIMIT = 0.5


@dataclass(frozen=True)
class ExtractConfig:
    """How features are extracted.

    Attributes:
        out: folder of the store.
        encoding: "bf16" or "u8".
        image_size: side of the stored student image.
        shard_size: images per shard.
        held_out: share of the sources held out.
        batch_size: images per forward pass of a teacher.
    """

    out: Path
    encoding: str = "u8"
    image_size: int = 224
    shard_size: int = 256
    held_out: float = 0.1
    batch_size: int = 8

    def __post_init__(self) -> None:
        """Refuse a batch of nothing."""
        if self.batch_size < 1:
            raise TheiaError(f"batch_size is {self.batch_size}; give at least 1")


@dataclass(frozen=True)
class Item:
    """One image to extract: its unique key, where it comes from and who loads it."""

    key: str
    ref: ImageRef
    source: ImageSource


@dataclass(frozen=True)
class Estimate:
    """What an extraction will take on this machine.

    Attributes:
        images: images left to do by all ranks.
        shards: shards left.
        disk_bytes: bytes they will take.
        free_bytes: bytes free where they go.
        seconds: time, at the speed of a few sample images, for this rank.
    """

    images: int
    shards: int
    disk_bytes: int
    free_bytes: int
    seconds: float

    def __str__(self) -> str:
        """One line for people."""
        return (
            f"{self.images} images in {self.shards} shards to do: {self.disk_bytes / 1e9:.2f} GB "
            f"({self.free_bytes / 1e9:.1f} GB free), about {self.seconds / 60:.1f} min"
        )


def items_of(sources: Sequence[ImageSource]) -> list[Item]:
    """All images of all sources, sorted by key.

    Raises:
        TheiaError: if there is none, or two share a key.
    """
    items = sorted(
        (Item(_safe(ref.key), ref, source) for source in sources for ref in source.refs()),
        key=lambda item: item.key,
    )
    if not items:
        raise TheiaError("the image sources hold no image; check the paths given to --images")
    for before, after in pairwise(items):
        if before.key == after.key:
            raise TheiaError(f"two images have the key {before.key}; give folders of different names")
    return items


def _safe(key: str) -> str:
    """A key that WebDataset does not cut: it takes everything behind the first dot for the extension."""
    return key.replace(".", "_")


def manifest_of(items: Sequence[Item], teachers: "Sequence[Teacher]", config: ExtractConfig) -> Manifest:
    """The store's identity."""
    entries = tuple(
        TeacherEntry(t.spec.name, t.spec.size, t.weights_sha256, t.spec.licence, t.spec.has_cls)
        for t in teachers
    )
    keys = keys_sha256([f"{item.key} {item.ref.source}" for item in items])
    return Manifest(
        entries, config.encoding, config.image_size, config.shard_size, len(items), keys, config.held_out
    )


class Extraction:
    """Extraction of one store by one rank."""

    def __init__(
        self,
        items: Sequence[Item],
        teachers: "Sequence[Teacher]",
        config: ExtractConfig,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        """Prepare the store's folder, or take it over.

        Raises:
            TheiaError: if the folder holds the features of other images or teachers.
        """
        self.items, self.teachers, self.config = list(items), list(teachers), config
        self.rank, self.ranks = rank, ranks
        self.manifest = manifest_of(items, teachers, config)
        self._student = Preprocessing(config.image_size)
        config.out.mkdir(parents=True, exist_ok=True)
        if (config.out / FILE).exists():
            existing = Manifest.read(config.out)
            if differences := existing.differences(self.manifest):
                raise TheiaError(
                    f"{config.out} holds other features: {'; '.join(differences)}; choose another --out"
                )
        else:
            write_json(config.out / FILE, self.manifest.to_dict())

    def todo(self, every_rank: bool = False) -> list[int]:
        """Numbers of the shards that this rank, or any rank, still has to write."""
        first, step = (0, 1) if every_rank else (self.rank, self.ranks)
        return [
            n for n in range(first, self.manifest.shards, step) if not index_path(self.config.out, n).exists()
        ]

    def images(self, shards: Sequence[int]) -> int:
        """Number of images in these shards."""
        return sum(len(self._items(number)) for number in shards)

    def estimate(self, samples: int = 3) -> Estimate:
        """Time a few images and add up the disk space; writes nothing.

        Raises:
            TheiaError: if the disk cannot hold the rest.
        """
        shards = self.todo(every_rank=True)
        images, own = self.images(shards), self.images(self.todo())
        seconds = 0.0
        if own:
            frames = self._some_frames(samples + 1)
            self._features(frames[:1])  # the first call allocates
            started_s = time.monotonic()
            self._features(frames[1:] or frames)
            seconds = (time.monotonic() - started_s) / max(len(frames) - 1, 1) * own
        needed = images * self.manifest.bytes_per_sample
        free = shutil.disk_usage(self.config.out).free
        if needed > free:
            raise TheiaError(
                f"{needed / 1e9:.1f} GB of features do not fit in the {free / 1e9:.1f} GB free at "
                f"{self.config.out}; use --encoding u8, fewer teachers or another disk"
            )
        return Estimate(images, len(shards), needed, free, seconds)

    def run(self, on_images: Callable[[int], None] = lambda n: None) -> list[ShardIndex]:
        """Write every shard of this rank that is not finished; `on_images` hears of progress."""
        return [self._write(number, on_images) for number in self.todo()]

    def _items(self, number: int) -> list[Item]:
        size = self.config.shard_size
        return self.items[number * size : (number + 1) * size]

    def _write(self, number: int, on_images: Callable[[int], None]) -> ShardIndex:
        started_s = time.monotonic()
        index = ShardIndex(
            self.manifest.identity,
            moments={e.name: Moments.empty(e.size.channels) for e in self.manifest.teachers},
            error={e.name: 0.0 for e in self.manifest.teachers},
        )
        items = self._items(number)
        # a tar without its index is written again from the start, and what a killed run left goes
        for leftover in self.config.out.glob(f"{tar_path(self.config.out, number).name}.partial-*"):
            leftover.unlink()
        with whole_file(tar_path(self.config.out, number)) as file:
            writer = ShardWriter(file)
            for start in range(0, len(items), self.config.batch_size):
                batch = items[start : start + self.config.batch_size]
                self._batch(batch, writer, index)
                on_images(len(batch))
            writer.close()
            index.samples = writer.entries
            if len(index.skipped) > SKIPPED_LIMIT * len(items):
                key, reason = next(iter(index.skipped.items()))
                raise TheiaError(
                    f"{len(index.skipped)} of {len(items)} images of shard {number} cannot be used, "
                    f"the first, {key}, because {reason}; that is more than a bad image here and there: "
                    "check images and teachers"
                )
        index.seconds = time.monotonic() - started_s
        finish_shard(self.config.out, number, index)
        return index

    def _batch(self, items: Sequence[Item], writer: ShardWriter, index: ShardIndex) -> None:
        frames, good = [], []
        for item in items:
            try:
                frames.append(item.source.load(item.ref))
                good.append(item)
            except UnreadableImage as error:
                index.skipped[item.key] = str(error)
        if not frames:
            return
        images = np.concatenate([self._student.resize(frame) for frame in frames])
        outputs = self._features(frames)
        for place, item in enumerate(good):
            maps = {name: stack[place] for name, stack in outputs.items()}
            broken = [name for name, values in maps.items() if not np.isfinite(values).all()]
            if broken:
                index.skipped[item.key] = f"teacher {', '.join(broken)} gave features that are not finite"
                continue
            tensors, split = (
                {IMAGE: torch.from_numpy(images[place])},
                split_of(item.ref.source, self.config.held_out),
            )
            for name, values in maps.items():
                features = torch.from_numpy(np.ascontiguousarray(values))
                if name.endswith(CLS):
                    tensors[name] = features
                    if split == "train":
                        index.moments.setdefault(name, Moments.empty(len(values))).update(values[None])
                    continue
                stored = encode(name, features, self.config.encoding)
                tensors |= stored
                if split == "train":
                    index.moments[name].update(values)
                    lost = (decode(name, stored) - features).square().mean(0) / features.var(0).clamp_min(
                        1e-12
                    )
                    index.error[name] += float(lost.mean())
            writer.add(item.key, item.ref.source, split, tensors)

    def _features(self, frames: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Teacher -> (B, h*w, C) float32, and name.cls -> (B, C), of frames of any sizes."""
        outputs: dict[str, np.ndarray] = {}
        for teacher in self.teachers:
            resized = np.concatenate([teacher.spec.preprocessing.resize(frame) for frame in frames])
            result, size = teacher.run(resized), teacher.spec.size
            expected = (len(frames), size.channels, size.height, size.width)
            if result.spatial.shape != expected:
                raise TheiaError(
                    f"teacher {teacher.spec.name} gave features {result.spatial.shape} instead of "
                    f"{expected}; correct the size in its config"
                )
            outputs[teacher.spec.name] = result.spatial.reshape(*expected[:2], -1).transpose(0, 2, 1)
            if teacher.spec.has_cls and result.cls is not None:
                outputs[teacher.spec.name + CLS] = result.cls
        return outputs

    def _some_frames(self, count: int) -> list[np.ndarray]:
        frames: list[np.ndarray] = []
        for item in self.items[:: max(1, len(self.items) // (4 * count))]:
            try:
                frames.append(item.source.load(item.ref))
            except UnreadableImage:
                continue
            if len(frames) == count:
                break
        if not frames:
            raise TheiaError("none of the images tried can be read; check the paths given to --images")
        return frames
