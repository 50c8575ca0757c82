"""Reader of Qt's binary resource containers (`.rcc`), in which some programs ship their pictures.

Layout (big-endian), as Qt's resource compiler writes it: a header "qres", format version, and the offsets of
the tree, of the data and of the names; since version 3 also flags. A tree node names itself by an offset into
the names; a folder then gives the number and the first index of its children, a file locale and data offset;
since version 2 each node ends in a modification time. A file's data begin with their length.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from theia_core.errors import TheiaError

MAGIC = b"qres"
_COMPRESSED_ZLIB, _FOLDER, _COMPRESSED_ZSTD = 1, 2, 4
_NODE_BYTES = {1: 14, 2: 22, 3: 22}


class RccFile(NamedTuple):
    """One file of a container.

    Attributes:
        path: its path, with a leading slash.
        data: its bytes, decompressed.
    """

    path: str
    data: bytes


def read_rcc(
    container: bytes, name: str = "the container", wanted: Callable[[str], bool] = lambda path: True
) -> Iterator[RccFile]:
    """The files of a container, in the order of its tree.

    Args:
        container: the whole `.rcc` file.
        name: what errors call it.
        wanted: tells by its path whether a file is decompressed and given out.

    Raises:
        TheiaError: if it is no RCC container, of an unknown version, or damaged.
    """
    if container[:4] != MAGIC:
        raise TheiaError(
            f"{name} is no Qt resource container: it begins with {container[:4]!r}, not {MAGIC!r}"
        )
    try:
        version, tree, data, names = struct.unpack_from(">4I", container, 4)
        if version not in _NODE_BYTES:
            raise TheiaError(f"{name} has RCC version {version}; known are {sorted(_NODE_BYTES)}")
        reader = _Reader(container, name, _NODE_BYTES[version], tree, data, names)
        for path, flags, offset in reader.files(0, "", 0):
            if wanted(path):
                yield RccFile(path, reader.content(path, flags, offset))
    except struct.error as error:
        raise TheiaError(f"{name} is truncated ({len(container)} bytes); fetch it again") from error


class _Reader:
    """Offsets of one container."""

    def __init__(
        self, container: bytes, name: str, node_bytes: int, tree: int, data: int, names: int
    ) -> None:
        self.container, self.name, self.node_bytes = container, name, node_bytes
        self.tree, self.data, self.names = tree, data, names

    def files(self, index: int, parent: str, depth: int) -> Iterator[tuple[str, int, int]]:
        """Path, flags and data offset of each file at and below a node."""
        if depth > 64:
            raise TheiaError(f"{self.name} is damaged: its folders contain themselves; fetch it again")
        at = self.tree + index * self.node_bytes
        name_offset, flags = struct.unpack_from(">IH", self.container, at)
        path = f"{parent}/{self._name(name_offset)}" if index else ""
        if flags & _FOLDER:
            count, first = struct.unpack_from(">II", self.container, at + 6)
            for child in range(first, first + count):
                yield from self.files(child, path, depth + 1)
        else:
            (offset,) = struct.unpack_from(">I", self.container, at + 10)
            yield path, flags, offset

    def content(self, path: str, flags: int, offset: int) -> bytes:
        """Decompressed bytes of a file."""
        at = self.data + offset
        (length,) = struct.unpack_from(">I", self.container, at)
        stored = self.container[at + 4 : at + 4 + length]
        if len(stored) < length:
            raise TheiaError(f"{self.name} ends inside {path}; fetch it again")
        try:
            if flags & _COMPRESSED_ZLIB:
                return zlib.decompress(stored[4:])  # after the decompressed length
            if flags & _COMPRESSED_ZSTD:
                return _decompress_zstd(stored)
        except (zlib.error, ValueError) as error:
            raise TheiaError(f"{self.name}: {path} is damaged ({error}); fetch it again") from error
        return stored

    def _name(self, offset: int) -> str:
        at = self.names + offset
        (characters,) = struct.unpack_from(">H", self.container, at)  # a hash of 4 bytes follows
        raw = self.container[at + 6 : at + 6 + 2 * characters]
        try:
            return raw.decode("utf-16-be")
        except UnicodeDecodeError as error:
            raise TheiaError(f"{self.name} is damaged: a file name is no UTF-16; fetch it again") from error


def _decompress_zstd(data: bytes) -> bytes:
    import zstandard

    try:
        with zstandard.ZstdDecompressor().stream_reader(data) as stream:
            return stream.read()
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error
