"""What a feature store holds: teachers, encoding and images, fixed before the first shard is written."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from theia_core.encoders.feature_size import FeatureSize
from theia_core.errors import TheiaError
from theia_training.features.encoding import bytes_per_map, check_encoding

FORMAT = "theia-features/1"
FILE = "features.json"


@dataclass(frozen=True)
class TeacherEntry:
    """A teacher whose features are stored.

    Attributes:
        name: its name; also the name of its tensors.
        size: channels, height and width of its map.
        weights_sha256: of its weights.
        licence: of its weights.
        has_cls: whether a CLS feature (C,) is stored too, as `name.cls`.
    """

    name: str
    size: FeatureSize
    weights_sha256: str
    licence: str
    has_cls: bool = False

    @property
    def tokens(self) -> int:
        """Tokens of the map."""
        return self.size.height * self.size.width

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TeacherEntry":
        """Entry from a manifest."""
        return cls(
            str(values["name"]),
            FeatureSize(**values["size"]),
            str(values["weights_sha256"]),
            str(values["licence"]),
            bool(values["has_cls"]),
        )


@dataclass(frozen=True)
class Manifest:
    """Identity of a feature store; a store is only ever continued under the same one.

    Attributes:
        teachers: whose features are stored.
        encoding: "bf16" or "u8".
        image_size: side of the stored student image.
        shard_size: images per shard.
        images: number of images.
        keys_sha256: of all keys in order, so that a changed image folder is noticed.
        held_out: share of the sources that are held out; 1 for a store that is for evaluation only.
    """

    teachers: tuple[TeacherEntry, ...]
    encoding: str
    image_size: int
    shard_size: int
    images: int
    keys_sha256: str
    held_out: float

    def __post_init__(self) -> None:
        """Refuse what cannot be extracted."""
        check_encoding(self.encoding)
        if not self.teachers:
            raise TheiaError("no teacher named; give at least one")
        names = [teacher.name for teacher in self.teachers]
        if len(set(names)) != len(names):
            raise TheiaError(f"a teacher is named twice among {', '.join(names)}; name each once")
        if self.shard_size < 1 or self.images < 1:
            raise TheiaError(f"{self.images} images in shards of {self.shard_size}: both must be at least 1")
        if not 0 <= self.held_out <= 1:
            raise TheiaError(f"held_out is {self.held_out}; give a share from 0 to 1")

    @property
    def shards(self) -> int:
        """Number of shards."""
        return -(-self.images // self.shard_size)

    @property
    def bytes_per_sample(self) -> int:
        """Bytes of one sample in a shard, tar and safetensors headers included (rounded up)."""
        maps = sum(bytes_per_map(t.tokens, t.size.channels, self.encoding) for t in self.teachers)
        return 3 * self.image_size**2 + maps + 4096

    @property
    def identity(self) -> str:
        """16 hexadecimal digits that every shard of the store carries, and no shard of another one."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return {"format": FORMAT, **asdict(self), "teachers": [asdict(teacher) for teacher in self.teachers]}

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Manifest of the store in `folder`.

        Raises:
            TheiaError: if there is none, or it is of another format.
        """
        path = folder / FILE
        try:
            values = json.loads(path.read_text())
            if values.pop("format") != FORMAT:
                raise TheiaError(f"{path} is not of the format {FORMAT}; extract the features again")
            teachers = tuple(TeacherEntry.from_dict(entry) for entry in values.pop("teachers"))
            return cls(teachers, **values)
        except OSError as error:
            raise TheiaError(
                f"{folder} is no feature store: {FILE} is not readable; make one with: theia features"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise TheiaError(f"{path} is damaged ({error!r}); extract the features again") from error

    def differences(self, other: "Manifest") -> list[str]:
        """Sentences on what `other` has differently; empty if the two agree."""
        mine, theirs = self.to_dict(), other.to_dict()
        found = [
            f"{key} is {theirs[key]} instead of {mine[key]}"
            for key in mine
            if key != "teachers" and mine[key] != theirs[key]
        ]
        names = [t.name for t in self.teachers], [t.name for t in other.teachers]
        if names[0] != names[1]:
            return [*found, f"its teachers are {', '.join(names[1])} instead of {', '.join(names[0])}"]
        found += [
            f"teacher {a.name} is {_identity(b)} instead of {_identity(a)}"
            for a, b in zip(self.teachers, other.teachers, strict=True)
            if a != b
        ]
        return found


def _identity(teacher: TeacherEntry) -> str:
    size = teacher.size
    return f"{size.channels}x{size.height}x{size.width} from weights {teacher.weights_sha256[:12]}"


def keys_sha256(keys: Sequence[str]) -> str:
    """Hash over keys in order."""
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()


def split_of(source: str, held_out: float) -> str:
    """Split of a source by its hash alone: "held_out" for the given share of sources, else "train"."""
    place = int.from_bytes(hashlib.sha256(source.encode()).digest()[:8], "big") / 2**64
    return "held_out" if place < held_out else "train"
