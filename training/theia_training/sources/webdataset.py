"""WebDataset shards as a source: tar files in which the members of a sample share the name before the dot."""

import tarfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from theia_core.errors import TheiaError
from theia_training.sources.image_source import ImageRef, UnreadableImage
from theia_training.sources.listing import clean_key, source_name
from theia_training.sources.pixels import IMAGE_SUFFIXES, decode_rgb


class _Member(NamedTuple):
    """Where an image's bytes are."""

    shard: Path
    name: str
    offset: int
    size: int


class WebDatasetSource:
    """The images in uncompressed tar files; other members (captions, classes) are passed over.

    Keys are the dataset's name, the shard's and the sample's. The shard is no part of an image's source, so
    crops of one photograph stay together wherever they were packed.
    """

    def __init__(self, root: Path, shards: Sequence[Path]) -> None:
        """Read the headers of all shards.

        Args:
            root: the folder, or the only shard, after which the keys are named.
            shards: tar files.

        Raises:
            TheiaError: if a shard is no uncompressed tar or is truncated, a sample has two images or comes
                twice, or there is no image at all.
        """
        self._name = root.resolve().name.removesuffix(".tar")
        self._members: dict[str, _Member] = {}
        self._refs: list[ImageRef] = []
        for shard in shards:
            self._list(shard, "" if shard == root else f"{shard.stem}/")
        if not self._refs:
            raise TheiaError(f"{root} holds no sample with an image ({', '.join(IMAGE_SUFFIXES)})")
        self._refs.sort()

    def refs(self) -> list[ImageRef]:
        """All images, sorted by key."""
        return list(self._refs)

    def load(self, ref: ImageRef) -> np.ndarray:
        """Pixels (H, W, 3) uint8 RGB.

        Raises:
            UnreadableImage: if the member cannot be used.
        """
        member = self._members[ref.key]
        name = f"{member.shard}: {member.name}"
        try:
            with member.shard.open("rb") as stream:
                stream.seek(member.offset)
                data = stream.read(member.size)
        except OSError as error:
            raise UnreadableImage(f"{name} cannot be read: {error.strerror}; check the disk") from error
        return decode_rgb(data, name)

    def _list(self, shard: Path, inner: str) -> None:
        try:
            with tarfile.open(shard, mode="r:") as archive:
                for member in archive:
                    if member.isreg():
                        self._add(shard, inner, member)
        except (tarfile.TarError, OSError) as error:
            raise TheiaError(
                f"{shard} is no whole uncompressed tar file ({error}); unpack compressed ones and copy "
                "truncated ones again"
            ) from error

    def _add(self, shard: Path, inner: str, member: tarfile.TarInfo) -> None:
        path = PurePosixPath(member.name)
        stem, _, extension = path.name.partition(".")
        if not stem or f".{extension.lower()}" not in IMAGE_SUFFIXES:
            return
        sample = (path.parent / stem).as_posix()
        key = clean_key(f"{self._name}/{inner}{sample}")
        if (other := self._members.get(key)) is not None:
            raise TheiaError(
                f"{shard}: {member.name} and {other.name} would both be the image {key}; "
                "pack one image a sample"
            )
        self._members[key] = _Member(shard, member.name, member.offset_data, member.size)
        source = (path.parent / source_name(stem)).as_posix()
        self._refs.append(ImageRef(key, clean_key(f"{self._name}/{source}")))
