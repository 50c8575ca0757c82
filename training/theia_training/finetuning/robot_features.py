"""Teacher features of the frames of recorded episodes, with the teachers of the general set."""

from collections.abc import Callable, Sequence

from theia_core.errors import TheiaError
from theia_training.features.extract import ExtractConfig, Extraction, items_of
from theia_training.features.store import FeatureStore, open_columns
from theia_training.finetuning.config import FinetuneConfig
from theia_training.sources import open_source
from theia_training.sources.image_source import ImageSource
from theia_training.teachers import Teacher, load_teacher

ROBOT = "robot_features"
_SHARD_SIZE = 64
Load = Callable[[str, int], Teacher]


def robot_store(
    config: FinetuneConfig,
    load: Load = load_teacher,
    on_images: Callable[[int, int], None] = lambda done, total: None,
) -> FeatureStore:
    """The feature store of the robot frames, made or completed in `config.out`/robot_features.

    Args:
        config: the fine-tuning.
        load: loads a teacher by name and threads.
        on_images: told how many images are done, and of how many.

    Raises:
        TheiaError: if bags or teachers cannot be read, a teacher is not the one of the general set, or no
            episode is held out.
    """
    general = [open_columns(text) for text in config.general]
    entries = general[0].teachers
    every = config.every or _every(config, sum(len(store) for store in general))
    teachers = [load(config.teachers.get(entry.name, entry.name), config.threads) for entry in entries]
    for entry, teacher in zip(entries, teachers, strict=True):
        if teacher.weights_sha256 != entry.weights_sha256:
            raise TheiaError(
                f"the teacher {entry.name} has other weights than in {config.general[0]}; extract the "
                "general set again, or name the right ones with --teacher"
            )
    folder = config.out / ROBOT
    extraction = Extraction(
        items_of(_sources(config, every)),
        teachers,
        ExtractConfig(folder, shard_size=_SHARD_SIZE, held_out=config.held_out),
    )
    total, done = extraction.images(extraction.todo()), 0

    def progress(count: int) -> None:
        nonlocal done
        done += count
        on_images(done, total)

    extraction.run(progress)
    store = FeatureStore(folder)
    held_out = sum(entry.split == "held_out" for _, entry in store.entries)
    if not 0 < held_out < len(store):
        raise TheiaError(
            f"of {len(store)} robot frames {held_out} are held out, by whole episodes; record more episodes, "
            "or change --held-out and --out"
        )
    return store


def _sources(config: FinetuneConfig, every: int) -> list[ImageSource]:
    return [open_source(bag, every=every) for bag in config.bags]


def _every(config: FinetuneConfig, general: int) -> int:
    """Which n-th frames make robot frames the wanted share of all samples."""
    frames = _count(_sources(config, 1))
    wanted = general * config.robot_share / (1 - config.robot_share)
    return max(1, int(frames // max(wanted, 1)))


def _count(sources: Sequence[ImageSource]) -> int:
    return sum(len(source.refs()) for source in sources)
