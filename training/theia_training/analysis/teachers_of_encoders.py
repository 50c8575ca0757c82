"""Which teachers the encoders of a comparison predict, and how the truth is had."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from theia_core.encoders import Encoder
from theia_core.errors import TheiaError
from theia_training.analysis.prediction_study import PredictionStudy
from theia_training.features.statistics import Moments, merged
from theia_training.teachers import Teacher, load_teacher

if TYPE_CHECKING:
    from theia_training.features.store import Columns, FeatureStore

LEFT_OUT = "none"


def prediction_studies(
    encoders: Mapping[str, Encoder],
    stores: "Sequence[FeatureStore | Columns]",
    truth_is_stored: bool,
    places: Mapping[str, str],
    threads: int,
    on_left_out: Callable[[str], None],
) -> list[PredictionStudy]:
    """A study for each teacher that some encoder predicts and whose true features can be had.

    Args:
        encoders: by label.
        stores: feature stores, which say how targets were normalised.
        truth_is_stored: whether the images come from these stores, with their true features.
        places: teacher -> its config or folder, or "none" to leave it out.
        threads: CPU threads of a teacher.
        on_left_out: told why a teacher is left out.

    Raises:
        TheiaError: if `places` names a teacher that no encoder predicts, or one that cannot be loaded.
    """
    predicted: dict[str, list[str]] = {}
    for label, encoder in encoders.items():
        for teacher in getattr(encoder.runtime, "teachers", ()):
            predicted.setdefault(teacher, []).append(label)
    if unknown := sorted(places.keys() - predicted.keys()):
        raise TheiaError(
            f"no encoder predicts {', '.join(unknown)}; the teachers are {', '.join(predicted) or 'none'}"
        )
    stored = {entry.name: entry for store in stores for entry in store.teachers}
    everywhere = (
        set.intersection(*({t.name for t in store.teachers} for store in stores)) if stores else set()
    )
    studies = []
    for name, labels in predicted.items():
        place = places.get(name, name)
        if place == LEFT_OUT:
            continue
        needed = not (truth_is_stored and name in everywhere)
        teacher: Teacher | None = None
        try:
            teacher = load_teacher(place, threads)
        except TheiaError as error:
            if name in places:
                raise
            if needed:
                on_left_out(f"{name} is not compared with its teacher: {error}")
                continue
            on_left_out(f"features of {name} are not decoded: {error}")
        size = teacher.spec.size if teacher else stored[name].size
        grid = (size.height, size.width)
        studies.append(PredictionStudy(name, labels, teacher, grid, _training_moments(name, stores)))
    return studies


def _training_moments(name: str, stores: "Sequence[FeatureStore | Columns]") -> Moments | None:
    """Moments over the training samples of all stores, as distillation takes them; None without any."""
    parts = [store.moments(name) for store in stores if name in [entry.name for entry in store.teachers]]
    moments = merged(parts) if parts else None
    return moments if moments and moments.count else None
