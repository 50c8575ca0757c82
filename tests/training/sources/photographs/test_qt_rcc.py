"""The reader of Qt's resource containers against containers written from the format's description."""

import struct

import pytest

from theia_core.errors import TheiaError
from theia_training.sources.photographs.qt_rcc import read_rcc

FILES = {
    "/gcompris/src/erase/bee.webp": b"bee" * 1000,
    "/gcompris/src/erase/pika.webp": b"pika",
    "/gcompris/empty": b"",
    "/Fanö.png": bytes(range(256)),
}


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("compress", [None, "zlib", "zstd"])
def test_every_file_comes_back_with_its_path(version, compress, write_rcc):
    container = write_rcc(FILES, version, compress)
    assert {file.path: file.data for file in read_rcc(container)} == FILES


def test_only_wanted_files_are_decompressed(write_rcc):
    container = bytearray(write_rcc(FILES, compress="zlib"))
    spoilt = container.index(b"\x78\x9c")  # the first file's zlib header
    container[spoilt : spoilt + 8] = b"\xff" * 8
    readable = []
    for path in FILES:
        try:
            readable += [file.path for file in read_rcc(bytes(container), "c.rcc", path.__eq__)]
        except TheiaError as error:
            assert f"c.rcc: {path} is damaged" in str(error)
    assert len(readable) == len(FILES) - 1


def test_what_is_no_container_is_refused():
    with pytest.raises(TheiaError, match=r"x\.rcc is no Qt resource container: it begins with b'PK"):
        list(read_rcc(b"PK\x03\x04 and so on", "x.rcc"))


def test_an_unknown_version_is_refused(write_rcc):
    container = write_rcc(FILES)
    with pytest.raises(TheiaError, match="has RCC version 4"):
        list(read_rcc(b"qres" + struct.pack(">I", 4) + container[8:]))


def test_truncation_anywhere_is_an_error_and_never_a_wrong_file(write_rcc):
    container = write_rcc(FILES)
    for length in range(4, len(container) - 1, 97):
        with pytest.raises(TheiaError, match=r"truncated|ends inside|damaged"):
            list(read_rcc(container[:length]))


def test_a_folder_that_contains_itself_is_refused(write_rcc):
    container = bytearray(write_rcc({"/a/b": b"x"}, version=1))
    (tree,) = struct.unpack_from(">I", container, 8)
    struct.pack_into(">II", container, tree + 14 + 6, 1, 1)  # folder a's only child is a
    with pytest.raises(TheiaError, match="folders contain themselves"):
        list(read_rcc(bytes(container)))
