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
# Value of `backbone` in a released config.json.
BACKBONES = {size: f"facebook/deit-{size}-patch16-224" for size in ("tiny", "small", "base")}
TRANSLATORS = ("lconv", "linear", "sub_pixel")
RELEASED = tuple(f"theia-{size}-patch16-224-{teachers}" for size in BACKBONES for teachers in TEACHER_SETS)


@dataclass(frozen=True)
class TheiaVariant:
    """Architecture of a Theia checkpoint.

    Attributes:
        name: name of the encoder.
        size: "tiny", "small" or "base".
        targets: teacher -> shape of its features, any teachers; empty without translators.
        registers: register tokens besides CLS.
        translator: "lconv"; "linear" for the ablation of Table 6a; "sub_pixel", one linear layer from a token
            to the cells under it.
    """

    name: str
    size: str
    targets: Mapping[str, FeatureSize]
    registers: int = 0
    translator: str = "lconv"

    def __post_init__(self) -> None:
        """Refuse an architecture that Theia has not."""
        if self.size not in BACKBONES:
            raise TheiaError(f"unknown size {self.size!r}; choose one of {', '.join(BACKBONES)}")
        if self.registers < 0:
            raise TheiaError(f"registers is {self.registers}; give 0 or more")
        if self.translator not in TRANSLATORS:
            raise TheiaError(
                f"unknown translator type {self.translator!r}; choose one of {', '.join(TRANSLATORS)}"
            )
        for teacher in self.targets:
            # A state-dict key is made of names and dots, so a dot would split the teacher's name.
            if not teacher or "." in teacher:
                raise TheiaError(f"a teacher cannot be called {teacher!r}; give it a name without dots")


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

    Its name is the entry "name", which released files lack; else the released name where the teachers are a
    released set, else the folder's name.

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
        translator = str(config.get("translator_type", "lconv"))
        name = str(config.get("name") or _name_of(size, targets, path))
    except OSError as error:
        raise TheiaError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise TheiaError(f"{path} is not the config.json of a Theia checkpoint ({error!r})") from error
    if translator not in TRANSLATORS:
        raise TheiaError(f"{path} has translator_type {translator!r}; supported are {', '.join(TRANSLATORS)}")
    _refuse_other(path, config, "translator_hidden_size_factor", 1.0)
    _refuse_other(path, config, "image_size", 224)
    return TheiaVariant(name, size, targets, registers, translator)


def config_of_variant(variant: TheiaVariant) -> dict[str, Any]:
    """Entries of the config.json from which `variant_of_config` makes `variant` again."""
    return {
        "name": variant.name,
        "backbone": BACKBONES[variant.size],
        "image_size": 224,
        "num_reg_tokens": variant.registers,
        "target_feature_sizes": {
            teacher: [size.channels, size.height, size.width] for teacher, size in variant.targets.items()
        },
        "translator_type": variant.translator,
        "translator_hidden_size_factor": 1.0,
        "feature_reduce_method": None,
    }


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
