"""One shard: a WebDataset tar of samples, and the index that says where each lies.

A sample is two members, `KEY.safetensors` (the student's image and the teachers' maps) and `KEY.json` (source
and split). The index is written last: a shard without its index is unfinished and will be written again.
"""

import io
import json
import tarfile
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors.torch import save

from theia_core.errors import TheiaError
from theia_core.files import file_sha256, write_json
from theia_training.features.statistics import Moments

IMAGE = "image"


@dataclass(frozen=True)
class Entry:
    """Where one sample lies in its shard.

    Attributes:
        key: the sample's key.
        source: photograph, scene or episode that its image was cut from.
        split: "train" or "held_out".
        offset: first byte of the safetensors member in the tar.
        size: its length in bytes.
        crc32: of these bytes.
    """

    key: str
    source: str
    split: str
    offset: int
    size: int
    crc32: int


@dataclass
class ShardIndex:
    """Contents of a finished shard.

    Attributes:
        store: identity of the store's manifest, so that a shard of another store is noticed.
        samples: its samples in order.
        skipped: keys left out, each with the reason.
        sha256: of the tar.
        moments: teacher -> moments over the training samples.
        error: teacher -> mean squared storage error over the channel's variance, per training sample summed.
        seconds: time that extraction took.
    """

    store: str
    samples: list[Entry] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    sha256: str = ""
    moments: dict[str, Moments] = field(default_factory=dict)
    error: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def read(cls, path: Path) -> "ShardIndex":
        """Index from its file.

        Raises:
            TheiaError: if the file is damaged.
        """
        try:
            values = json.loads(path.read_text())
            return cls(
                str(values["store"]),
                [Entry(**entry) for entry in values["samples"]],
                dict(values["skipped"]),
                str(values["sha256"]),
                {name: Moments.from_dict(moments) for name, moments in values["moments"].items()},
                dict(values["error"]),
                float(values["seconds"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TheiaError(
                f"{path} is damaged ({error!r}); delete it, and `theia features` writes the shard again"
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return {
            "store": self.store,
            "samples": [asdict(entry) for entry in self.samples],
            "skipped": self.skipped,
            "sha256": self.sha256,
            "moments": {name: moments.to_dict() for name, moments in self.moments.items()},
            "error": self.error,
            "seconds": round(self.seconds, 3),
        }


class ShardWriter:
    """Writes samples into one tar; use `write_shard`."""

    def __init__(self, file: BinaryIO) -> None:
        """Write into `file`."""
        self._file = file
        self._tar = tarfile.TarFile(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)
        self.entries: list[Entry] = []

    def add(self, key: str, source: str, split: str, tensors: dict[str, torch.Tensor]) -> None:
        """Append a sample."""
        data = save(tensors)
        offset = self._member(f"{key}.safetensors", data)
        self._member(f"{key}.json", json.dumps({"source": source, "split": split}).encode())
        self.entries.append(Entry(key, source, split, offset, len(data), zlib.crc32(data)))

    def close(self) -> None:
        """Finish the tar."""
        self._tar.close()

    def _member(self, name: str, data: bytes) -> int:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        self._tar.addfile(info, io.BytesIO(data))
        # addfile pads the data to whole blocks of 512 bytes
        return self._file.tell() - -(-len(data) // 512) * 512


def tar_path(folder: Path, number: int) -> Path:
    """The tar of shard `number`."""
    return folder / f"shard-{number:06d}.tar"


def index_path(folder: Path, number: int) -> Path:
    """The index of shard `number`."""
    return tar_path(folder, number).with_suffix(".json")


def finish_shard(folder: Path, number: int, index: ShardIndex) -> None:
    """Complete the index with the tar's hash and write it: from now on the shard is finished."""
    index.sha256 = file_sha256(tar_path(folder, number))
    write_json(index_path(folder, number), index.to_dict())
