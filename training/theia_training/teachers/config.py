"""The description of a teacher that is not known by name, as in a YAML file.

    name: my-teacher
    kind: onnx                    # onnx, torchscript, torch, transformers or encoder
    path: weights/my_teacher.onnx # relative to the YAML file
    output: /encoder/layer.8/Add_1_output_0
    size: [384, 16, 16]           # channels, height, width of its features
    special_tokens: 1             # in front of the spatial tokens, when the output is tokens
    has_cls: true
    preprocessing: {size: 224, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}
    licence: MIT

The kind `torch` also has `model: package.module:Class` and `arguments: {...}` with which it is made; its path
is a safetensors or .pt file of a state dict, and its output the dotted name of a module inside. The kind
`transformers` has `model: Dinov2Model` (or another class we know), and its path may be a repository's id.
The kind `encoder` needs nothing but its path, an encoder's name or folder. With no kind, `name` is a known
teacher of the paper and `path` the folder of its weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from theia_core.encoders.feature_size import FeatureSize
from theia_core.errors import TheiaError
from theia_core.images import Preprocessing
from theia_training.teachers.teacher import TeacherSpec

KINDS = ("onnx", "torchscript", "torch", "transformers", "encoder")
_NEEDED = {
    "onnx": ("name", "size", "preprocessing", "licence"),
    "torchscript": ("name", "size", "preprocessing", "licence"),
    "torch": ("name", "model", "size", "preprocessing", "licence"),
    "transformers": ("name", "model", "size", "preprocessing", "licence"),
    "encoder": (),
}


@dataclass(frozen=True)
class TeacherConfig:
    """A teacher described by its user; see the module for an example.

    Attributes:
        kind: one of `KINDS`.
        path: file or folder of its weights; an id on the hub for `transformers`, a name for `encoder`.
        name: its name.
        size: channels, height and width of its features.
        preprocessing: how a frame becomes its input.
        licence: licence of its weights.
        output: where in the network the features are; None for what it gives. For onnx the name of a tensor
            or node, for torch that of a module, for torchscript an index or key of the result.
        model: class of the network, `package.module:Class`, or a class of `transformers`.
        arguments: keyword arguments of that class.
        special_tokens: tokens in front of the spatial ones.
        has_cls: whether the first of them is a CLS token.
        sha256: what the weights file must have, or None.
        revision: commit, tag or branch on the hub.
        allow_download: whether to fetch from the hub.
        description: one sentence for people.
        source: where the weights come from; the path if it is empty.
    """

    kind: str
    path: str
    name: str = ""
    size: FeatureSize | None = None
    preprocessing: Preprocessing | None = None
    licence: str = ""
    output: str | int | None = None
    model: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    special_tokens: int = 0
    has_cls: bool = False
    sha256: str | None = None
    revision: str | None = None
    allow_download: bool = False
    description: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse an unknown kind and what lacks an entry its kind needs."""
        if self.kind not in KINDS:
            raise TheiaError(f"unknown kind of teacher {self.kind!r}; choose one of {', '.join(KINDS)}")
        missing = [name for name in _NEEDED[self.kind] if not getattr(self, name)]
        if missing:
            raise TheiaError(
                f"a teacher of kind {self.kind} needs {', '.join(missing)}; add that to its config"
            )
        if self.special_tokens < 0 or (self.has_cls and self.special_tokens < 1):
            raise TheiaError(
                f"special_tokens is {self.special_tokens} with has_cls {self.has_cls}; CLS counts as one"
            )

    @property
    def spec(self) -> TeacherSpec:
        """The teacher's spec; not for an encoder, which describes itself."""
        assert self.size is not None and self.preprocessing is not None
        description = self.description or f"{self.kind} model {Path(self.path).name}"
        source = self.source or self.path
        return TeacherSpec(
            self.name, self.size, self.preprocessing, self.licence, source, description, self.has_cls
        )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], folder: Path = Path()) -> "TeacherConfig":
        """Config from plain values.

        Args:
            values: as in a YAML file.
            folder: what a relative path starts from.

        Raises:
            TheiaError: if an entry is unknown, missing or of the wrong form.
        """
        known = [entry.name for entry in fields(cls)]
        if unknown := sorted(set(values) - set(known)):
            raise TheiaError(f"a teacher's config has no {', '.join(unknown)}; there are {', '.join(known)}")
        if missing := [name for name in ("kind", "path") if not values.get(name)]:
            raise TheiaError(f"a teacher's config needs {', '.join(missing)}")
        entries = dict(values)
        try:
            if "size" in entries:
                entries["size"] = FeatureSize(*(int(value) for value in entries["size"]))
            if "preprocessing" in entries:
                entries["preprocessing"] = Preprocessing.from_dict(entries["preprocessing"])
        except (TypeError, ValueError, KeyError) as error:
            raise TheiaError(
                f"the teacher's size {values.get('size')} or preprocessing {values.get('preprocessing')} is "
                "not of the form [channels, height, width] and {size, mean, std}"
            ) from error
        entries["path"] = against(folder, str(entries["path"]))
        return cls(**entries)


def against(folder: Path, path: str) -> str:
    """`path` seen from `folder` where something is there; unchanged otherwise (a name, an id)."""
    expanded = Path(path).expanduser()
    return str(folder / expanded) if (folder / expanded).exists() else str(expanded)


def read_config_file(path: Path) -> Mapping[str, Any]:
    """Entries of a teacher's YAML file.

    Raises:
        TheiaError: if the file is absent, is not YAML or holds no entries.
    """
    try:
        values = yaml.safe_load(path.read_text())
    except OSError as error:
        raise TheiaError(f"cannot read the teacher's config {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TheiaError(f"{path} is not a YAML file ({error})") from error
    if not isinstance(values, dict):
        raise TheiaError(f"{path} holds no entries such as name: and kind:")
    return values
