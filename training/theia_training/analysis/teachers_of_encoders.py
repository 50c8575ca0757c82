"""Which teachers the encoders of a comparison predict, and how the truth is had."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from theia_core.encoders import Encoder
from theia_core.errors import TheiaError
from theia_training.analysis.prediction_study import PredictionStudy
from theia_training.teachers import Teacher, load_teacher

if TYPE_CHECKING:
    from theia_training.features.store import Columns, FeatureStore

LEFT_OUT = "none"


def prediction_studies(
    encoders: Mapping[str, Encoder],
    store: "FeatureStore | Columns | None",
    truth_is_stored: bool,
    places: Mapping[str, str],
    threads: int,
    on_left_out: Callable[[str], None],
) -> list[PredictionStudy]:
    """A study for each teacher that some encoder predicts and whose true features can be had.

    Args:
        encoders: by label.
        store: feature store, which says how targets were normalised.
        truth_is_stored: whether the images come from that store, with their true features.
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
    stored = {entry.name: entry for entry in store.teachers} if store else {}
    studies = []
    for name, labels in predicted.items():
        place = places.get(name, name)
        if place == LEFT_OUT:
            continue
        moments = store.moments(name) if store and name in stored else None
        needed = not (truth_is_stored and name in stored)
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
        studies.append(PredictionStudy(name, labels, teacher, (size.height, size.width), moments))
    return studies
