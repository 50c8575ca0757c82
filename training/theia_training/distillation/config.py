"""Configuration of a distillation run: typed, strict, from YAML."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from theia_core.errors import TheiaError
from theia_training.distillation.loss import LossConfig


@dataclass(frozen=True)
class StudentConfig:
    """The network that learns.

    Attributes:
        size: "tiny", "small" or "base".
        registers: register tokens besides CLS (Table 3b).
        translator: "lconv"; "linear" (ablation, Table 6a); "sub_pixel", linear too but with a teacher's finer
            grid read from single tokens, for runs so short that convolutions learn instead of the backbone.
        deit: safetensors file of DeiT or ViT weights of the same size to start from; none by default.
        select_from: safetensors file of a larger ViT to select initial weights from; none by default.
        select_layers: how many of its first layers to take.
        start: Theia encoder (folder) to go on from, as with images of another kind; its translators are taken
            over where the teacher and the shape of its features are the same.
        freeze_backbone: train the translators only (the control: what a frozen backbone lets them predict).
        translators_first: updates in which only the translators learn. Gradients through random translators
            distort a backbone that starts from good weights (Kumar et al. 2022, "LP-FT").
    """

    size: str = "tiny"
    registers: int = 0
    translator: str = "lconv"
    deit: str | None = None
    select_from: str | None = None
    select_layers: int = 12
    start: str | None = None
    freeze_backbone: bool = False
    translators_first: int = 0

    def __post_init__(self) -> None:
        """Refuse two origins of one weight."""
        if self.translators_first < 0:
            raise TheiaError(f"student.translators_first is {self.translators_first}; give 0 or more updates")
        origins = [name for name in ("deit", "select_from", "start") if getattr(self, name)]
        if len(origins) > 1:
            raise TheiaError(
                f"{' and '.join(f'student.{name}' for name in origins)} are given; a backbone starts from one"
            )


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW and its schedule (Table 5).

    Attributes:
        learning_rate: at the reference batch; scaled linearly with the global batch.
        reference_batch: the batch at which learning_rate holds (8 GPUs x 16 in the paper).
        betas: AdamW's.
        weight_decay: of matrices and kernels; biases, norms, position embeddings and tokens decay in none.
        schedule: what follows the warm-up: "constant", or "cosine" to zero.
        warmup_share: share of all updates over which the rate rises linearly.
        warmup_start: the rate's first value as a share of its peak.
        clip_norm: largest gradient norm; none in the paper.
        backbone_scale: the backbone's rate as a share of the translators'; 1 in the paper.
    """

    learning_rate: float = 5e-4
    reference_batch: int = 128
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.01
    schedule: str = "constant"
    warmup_share: float = 0.1
    warmup_start: float = 0.01
    clip_norm: float | None = None
    backbone_scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse values with which nothing is learnt."""
        if self.schedule not in ("constant", "cosine"):
            raise TheiaError(f"unknown schedule {self.schedule!r}; choose constant or cosine")
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise TheiaError(f"clip_norm is {self.clip_norm}; give a positive norm, or none")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise TheiaError(f"betas are {self.betas}; give two values from 0 to below 1")
        if not self.learning_rate > 0 or self.reference_batch < 1 or not 0 <= self.warmup_share < 1:
            raise TheiaError(
                f"learning_rate {self.learning_rate} and reference_batch {self.reference_batch} must be "
                f"positive, warmup_share {self.warmup_share} from 0 to below 1"
            )


@dataclass(frozen=True)
class DistillConfig:
    """One distillation run.

    Attributes:
        features: feature stores; 'a+b' zips stores of the same images with different teachers.
        out: folder of the run.
        teachers: of those that the stores have, the ones to distil; empty for all.
        epochs: passes over the training samples.
        batch_size: images per rank and forward pass.
        accumulate: forward passes per update.
        precision: "fp32", or "bf16" autocast.
        ema_decay: of the averaged weights, which are validated and shipped; 0 for none.
        seed: of weights and order.
        shuffle_shards: shards whose samples are shuffled together; larger needs more of the disk in memory.
        validation_images: held-out images per validation.
        validate_every: updates between validations.
        log_every: updates between rows of the log.
        checkpoint_every_s: seconds between checkpoints.
        threads: CPU threads per rank.
        student: the network.
        loss: the loss.
        optimiser: AdamW and its schedule.
    """

    features: tuple[str, ...]
    out: str
    teachers: tuple[str, ...] = ()
    epochs: int = 50
    batch_size: int = 16
    accumulate: int = 1
    precision: str = "fp32"
    ema_decay: float = 0.999
    seed: int = 0
    shuffle_shards: int = 64
    validation_images: int = 512
    validate_every: int = 500
    log_every: int = 20
    checkpoint_every_s: float = 120.0
    threads: int = 2
    student: StudentConfig = field(default_factory=StudentConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)

    def __post_init__(self) -> None:
        """Refuse a run that could not start."""
        if not self.features:
            raise TheiaError(
                "no feature store given; make one with `theia features` and name it under features"
            )
        for name in (
            "epochs",
            "batch_size",
            "accumulate",
            "shuffle_shards",
            "validate_every",
            "log_every",
            "threads",
        ):
            if getattr(self, name) < 1:
                raise TheiaError(f"{name} is {getattr(self, name)}; give at least 1")
        if self.validation_images < 0 or self.checkpoint_every_s < 0:
            raise TheiaError(
                f"validation_images {self.validation_images} and checkpoint_every_s "
                f"{self.checkpoint_every_s} must not be negative"
            )
        if self.precision not in ("fp32", "bf16"):
            raise TheiaError(f"unknown precision {self.precision!r}; choose fp32 or bf16")
        if not 0 <= self.ema_decay < 1:
            raise TheiaError(f"ema_decay is {self.ema_decay}; give a value from 0 to below 1")

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        values = asdict(self)
        values["features"] = list(self.features)
        values["teachers"] = list(self.teachers)
        values["optimiser"]["betas"] = list(self.optimiser.betas)
        return values


def read_config(path: Path, changes: Mapping[str, str] | None = None) -> DistillConfig:
    """Configuration from a YAML file, with changes from the command line.

    Args:
        path: the file.
        changes: dotted name -> value as YAML text, such as {"student.size": "small"}.

    Raises:
        TheiaError: if the file cannot be read, or holds an entry that does not exist or has a wrong type.
    """
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise TheiaError(f"cannot read the config {path}: {error}") from error
    if not isinstance(values, dict):
        raise TheiaError(f"{path} is no mapping of options; see training/configs for examples")
    for name, text in (changes or {}).items():
        _replace_option(values, name, text)
    config: DistillConfig = _build(DistillConfig, values, str(path))
    return config


def _replace_option(values: dict[str, Any], name: str, text: str) -> None:
    *parents, last = name.split(".")
    section = values
    for parent in parents:
        if section.get(parent) is None:
            section[parent] = {}
        section = section[parent]
        if not isinstance(section, dict):
            raise TheiaError(f"{name} cannot be set: {parent} is one value and has no options")
    try:
        section[last] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TheiaError(f"{name}={text} is no valid YAML value: {error}") from error


def _build(kind: Any, values: Any, where: str) -> Any:
    if not isinstance(values, dict):
        raise TheiaError(f"{where} must be a mapping of options, not {values!r}")
    types = get_type_hints(kind)
    known = {entry.name for entry in fields(kind)}
    if unknown := sorted(set(values) - known):
        raise TheiaError(f"{where} has no option {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    arguments = {}
    for name, value in values.items():
        wanted = types[name]
        if is_dataclass(wanted):
            arguments[name] = _build(wanted, value or {}, f"{where}: {name}")
        elif isinstance(value, list):
            arguments[name] = tuple(value)
        elif wanted in (float, float | None) and isinstance(value, str):
            arguments[name] = _number(value, f"{where}: {name}")  # YAML 1.1 reads 5e-4 as text
        else:
            arguments[name] = value
        _check_type(arguments[name], wanted, f"{where}: {name}")
    try:
        return kind(**arguments)
    except TypeError as error:
        raise TheiaError(f"{where} is incomplete or has a value of a wrong type: {error}") from error


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise TheiaError(f"{where} is {text!r}; give a number") from error


_TYPES = {
    int: int,
    float: (int, float),
    float | None: (int, float, type(None)),
    str: str,
    str | None: (str, type(None)),
    bool: bool,
    tuple[str, ...]: tuple,
    tuple[float, float]: tuple,
}


def _check_type(value: Any, wanted: Any, where: str) -> None:
    simple: Any = _TYPES.get(wanted)
    if simple is not None and (
        not isinstance(value, simple) or (isinstance(value, bool) and wanted is not bool)
    ):
        raise TheiaError(f"{where} is {value!r}; give a value of type {getattr(wanted, '__name__', wanted)}")
