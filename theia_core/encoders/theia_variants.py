"""Names and layouts of Theia checkpoints: which backbone, and which teachers it was distilled from."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from theia_core.encoders.feature_size import FeatureSize
from theia_core.errors import TheiaError

# Teachers by the letter that names them (paper, Table 4); features are channels, height, width.
TEACHERS = {
    "v": ("google/vit-huge-patch14-224-in21k", FeatureSize(1280, 16, 16)),
    "di": ("facebook/dinov2-large", FeatureSize(1024, 16, 16)),
    "c": ("openai/clip-vit-large-patch14", FeatureSize(1024, 16, 16)),
    "s": ("facebook/sam-vit-huge", FeatureSize(256, 64, 64)),
    "de": ("LiheYoung/depth-anything-large-hf", FeatureSize(32, 64, 64)),
}
TEACHER_SETS = {"cdiv": ("v", "di", "c"), "cddsv": ("v", "di", "c", "s", "de")}
RELEASED = tuple(
    f"theia-{size}-patch16-224-{teachers}" for size in ("tiny", "small", "base") for teachers in TEACHER_SETS
)


@dataclass(frozen=True)
class TheiaVariant:
    """Architecture of a Theia checkpoint.

    Attributes:
        name: name of the encoder.
        size: "tiny", "small" or "base".
        targets: teacher -> shape of its features; empty without translators.
        registers: register tokens besides CLS.
    """

    name: str
    size: str
    targets: Mapping[str, FeatureSize]
    registers: int = 0


def released_variant(name: str) -> TheiaVariant:
    """Architecture of a released checkpoint.

    Raises:
        TheiaError: if no such checkpoint was released.
    """
    if name not in RELEASED:
        raise TheiaError(f"no released Theia checkpoint is called {name!r}; there are {', '.join(RELEASED)}")
    _, size, _, _, letters = name.split("-")
    return TheiaVariant(name, size, dict(TEACHERS[letter] for letter in TEACHER_SETS[letters]))


def variant_of_config(path: Path) -> TheiaVariant:
    """Architecture that a checkpoint's config.json describes.

    Raises:
        TheiaError: if the file cannot be read or asks for an architecture that Theia has not.
    """
    try:
        config = json.loads(path.read_text())
        size = _size_of(str(config["backbone"]))
        targets = {
            str(teacher): FeatureSize(*(int(value) for value in shape))
            for teacher, shape in dict(config.get("target_feature_sizes") or {}).items()
        }
        registers = int(config.get("num_reg_tokens") or 0)
    except OSError as error:
        raise TheiaError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise TheiaError(f"{path} is not the config.json of a Theia checkpoint ({error!r})") from error
    _refuse_other(path, config, "translator_type", "lconv")
    _refuse_other(path, config, "translator_hidden_size_factor", 1.0)
    _refuse_other(path, config, "image_size", 224)
    return TheiaVariant(_name_of(size, targets, path), size, targets, registers)


def _size_of(backbone: str) -> str:
    found = re.search(r"tiny|small|base", backbone)
    if not found:
        raise ValueError(f"backbone {backbone!r} is neither tiny, small nor base")
    return found.group()


def _name_of(size: str, targets: Mapping[str, FeatureSize], path: Path) -> str:
    """The released name where the teachers are a released set, the folder's name otherwise."""
    for letters, teachers in TEACHER_SETS.items():
        if dict(targets) == dict(TEACHERS[letter] for letter in teachers):
            return f"theia-{size}-patch16-224-{letters}"
    return path.resolve().parent.name


def _refuse_other(path: Path, config: Mapping[str, Any], key: str, supported: object) -> None:
    if config.get(key, supported) != supported:
        raise TheiaError(f"{path} has {key} {config[key]!r}; only {supported!r} is supported")
