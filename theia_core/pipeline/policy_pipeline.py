"""From bags to two compared policies: check, fine-tune, train, export, certificate, evaluation A/B."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from theia_core.errors import TheiaError
from theia_core.pipeline.stage import Stage

Words = tuple[str, ...]


@dataclass(frozen=True)
class PipelineOptions:
    """What to make.

    Attributes:
        task: task of the policy.
        out: folder of everything.
        data: folders of episodes; empty records demonstrations in simulation first.
        general: feature stores or folders of images beside robot frames; empty draws another task's scenes.
        teachers: for `general` with images.
        encoder: Theia encoder to go on from.
        trials: trials of each policy.
        seed: evaluation seed.
        threads: CPU threads.
        small: sizes that take minutes on two cores and show that everything works, not what it can do.
    """

    task: str
    out: Path
    data: tuple[Path, ...] = ()
    general: tuple[str, ...] = ()
    teachers: tuple[str, ...] = ()
    encoder: str = "theia-tiny"
    trials: int = 100
    seed: int = 1000
    threads: int = 2
    small: bool = False

    def __post_init__(self) -> None:
        """Refuse fewer trials than one."""
        if self.trials < 1:
            raise TheiaError(f"--trials is {self.trials}; give at least 1")


# Scenes of this task are the general set where none is given: other things and another kitchen.
_OTHER_TASK = {"door": "pick_place"}
# A teacher that is shipped with this package.
_SHIPPED_TEACHER = "efficientnet-lite2-s16"
_FEATURE_STORE = "features.json"


def policy_pipeline(options: PipelineOptions, commands: Collection[str]) -> list[Stage]:
    """The stages.

    Args:
        options: what to make.
        commands: names of the commands that are installed; without `export` that stage is left out.
    """
    out, task = options.out, options.task
    stages: list[Stage] = []
    data = options.data
    if not data:
        data = (out / "episodes",)
        count = ("--episodes", "8") if options.small else ()
        stages.append(Stage("collect", ("collect", task, *count, "--out", str(data[0])), (), data))
    words = tuple(map(str, data))
    check = out / "check.json"
    stages.append(Stage("check", ("episodes", "check", *words, "--json"), data, (check,), stdout=check))
    general, made = _general(options)
    stages += made
    encoder, before, after = out / "finetune" / "encoder", out / "policy_before", out / "policy_after"
    stages.append(_finetune(options, data, general, [path for stage in made for path in stage.outputs]))
    for name, used, policy in (("before", options.encoder, before), ("after", str(encoder), after)):
        sizes = ("--epochs", "2") if options.small else ()
        command: Words = (
            "train",
            task,
            "--data",
            *words,
            "--encoder",
            used,
            "--out",
            str(policy),
        )
        command += ("--cache", str(out / "cache"), "--threads", str(options.threads), *sizes)
        inputs = (*data, encoder) if name == "after" else data
        checkpoint = policy / "checkpoint.safetensors"
        stages.append(Stage(f"train_{name}", command, inputs, (policy,), resume_if=checkpoint))
    if "export" in commands:
        stages.append(_engine(options, encoder, after, data[0], general[0]))
    result, table = out / "ab.json", out / "ab.md"
    evaluation: Words = (
        "eval",
        task,
        "--policy",
        str(before),
        "--policy",
        str(after),
        "--seed",
        str(options.seed),
    )
    evaluation += ("--trials", str(4 if options.small else options.trials), "--json", str(result))
    ledger = out / "ab.jsonl"
    evaluation += ("--markdown", str(table), "--ledger", str(ledger))
    stages.append(Stage("evaluate", evaluation, (before, after), (result, table, ledger), resume_if=ledger))
    return stages


def _general(options: PipelineOptions) -> tuple[tuple[str, ...], list[Stage]]:
    """The general set of fine-tuning, and the stage that makes it."""
    if options.general:
        return options.general, []
    folder = options.out / "general"
    count = "60" if options.small else "1500"
    command: Words = (
        "renders",
        _OTHER_TASK.get(options.task, "door"),
        "--images",
        count,
        "--out",
        str(folder),
    )
    return (str(folder),), [Stage("general", command, (), (folder,))]


def _finetune(
    options: PipelineOptions, data: tuple[Path, ...], general: tuple[str, ...], made: list[Path]
) -> Stage:
    folder = options.out / "finetune"
    given = [Path(text) for text in general if Path(text) not in made and Path(text).exists()]
    teachers = options.teachers or (() if options.general else (_SHIPPED_TEACHER,))
    command: Words = (
        "finetune",
        "--encoder",
        options.encoder,
        "--bags",
        *map(str, data),
        "--general",
        *general,
    )
    command += ("--teachers", *teachers) if teachers else ()
    if options.small:
        command += ("--epochs", "1", "--batch-size", "8", "--held-out", "0.3")
    command += ("--threads", str(options.threads), "--out", str(folder))
    # Exit code 1: the encoder is not better by its feature error; the policies are compared all the same.
    return Stage("finetune", command, (*data, *made, *given), (folder,), good_codes=(0, 1))


def _engine(options: PipelineOptions, encoder: Path, policy: Path, episodes: Path, general: str) -> Stage:
    """The graphs that a robot runs, from camera frame to action, and the certificate that they are equal."""
    engine = options.out / "engine"
    command: Words = ("export", str(encoder), "--to", "onnx", "--frame", "480x640", "--policy", str(policy))
    command += ("--out", str(engine), "--episodes", str(episodes), "--threads", str(options.threads))
    if not (Path(general) / _FEATURE_STORE).is_file() and "+" not in general:
        command += ("--photos", general)
    return Stage("export_and_certificate", command, (encoder, policy, episodes), (engine,))
