"""Packages and containers as their formats are documented, written by hand."""

import io
import lzma
import struct
import tarfile
import zlib

import numpy as np
import pytest
import zstandard
from PIL import Image


def smooth(seed=0, width=400, height=300):
    """A smooth RGB photograph stand-in; another seed is another picture."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (7, 9, 3), dtype=np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def encoded(image, kind="JPEG", **options):
    """Bytes of an image file."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def write_rcc(files, version=3, compress=None):
    """A Qt resource container of {path: bytes}; `compress` is None, "zlib" or "zstd"."""
    root = {}
    for path, data in files.items():
        *folders, name = path.strip("/").split("/")
        inner = root
        for folder in folders:
            inner = inner.setdefault(folder, {})
        inner[name] = data
    names, data_block = bytearray(), bytearray()

    def add_name(text):
        offset = len(names)
        encoded_name = text.encode("utf-16-be")
        names.extend(struct.pack(">HI", len(text), 0) + encoded_name)
        return offset

    def add_data(data):
        offset = len(data_block)
        if compress == "zlib":
            data = struct.pack(">I", len(data)) + zlib.compress(data)
        elif compress == "zstd":
            data = zstandard.ZstdCompressor().compress(data)
        data_block.extend(struct.pack(">I", len(data)) + data)
        return offset

    flag = {None: 0, "zlib": 1, "zstd": 4}[compress]
    stamp = b"\0" * 8 if version >= 2 else b""
    nodes = [None]
    queue = [(0, "", root)]
    while queue:
        index, name, value = queue.pop(0)
        offset = add_name(name) if name else 0
        if isinstance(value, dict):
            first = len(nodes)
            for inner_name in sorted(value):
                nodes.append(None)
                queue.append((len(nodes) - 1, inner_name, value[inner_name]))
            nodes[index] = struct.pack(">IHII", offset, 2, len(value), first) + stamp
        else:
            nodes[index] = struct.pack(">IHHHI", offset, flag, 0, 1, add_data(value)) + stamp
    tree = b"".join(nodes)
    header_bytes = 24 if version >= 3 else 20
    data_at = header_bytes
    names_at = data_at + len(data_block)
    tree_at = names_at + len(names)
    header = b"qres" + struct.pack(">4I", version, tree_at, data_at, names_at)
    if version >= 3:
        header += struct.pack(">I", flag)
    return header + bytes(data_block) + bytes(names) + tree


def write_deb(path, files, compression="xz"):
    """A Debian package that installs {path: bytes}."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    raw = stream.getvalue()
    packed = {"xz": lzma.compress, "zst": zstandard.ZstdCompressor().compress, "none": bytes}[compression](
        raw
    )
    suffix = "" if compression == "none" else f".{compression}"
    with path.open("wb") as target:
        target.write(b"!<arch>\n")
        members = {"debian-binary": b"2.0\n", "control.tar.xz": b"odd", f"data.tar{suffix}": packed}
        for name, data in members.items():
            target.write(f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode())
            target.write(data + b"\n" * (len(data) % 2))
    return path


@pytest.fixture(name="smooth")
def _smooth():
    return smooth


@pytest.fixture(name="encoded")
def _encoded():
    return encoded


@pytest.fixture(name="write_rcc")
def _write_rcc():
    return write_rcc


@pytest.fixture(name="write_deb")
def _write_deb():
    return write_deb
