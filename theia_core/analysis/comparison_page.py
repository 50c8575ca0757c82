"""The page that `theia analyze` writes, and the same numbers as JSON."""

from collections.abc import Sequence
from typing import Any

from theia_core.analysis.encoder_views import (
    EncoderView,
    ShownImage,
    curves_section,
    measures_section,
    pictures_section,
)
from theia_core.analysis.page.html import note, page, section
from theia_core.analysis.teacher_views import TeacherView, prediction_table, teacher_section


def comparison_page(
    encoders: Sequence[EncoderView],
    teachers: Sequence[TeacherView],
    shown: Sequence[ShownImage],
    origin: str,
    notes: Sequence[str] = (),
) -> str:
    """A self-contained HTML document.

    Args:
        encoders: one column each.
        teachers: those that some encoder predicts; may be empty.
        shown: images to show.
        origin: where the images come from, in words.
        notes: what was left out, and why.
    """
    labels = [view.label for view in encoders]
    sections = [measures_section(encoders), pictures_section(encoders, shown)]
    if teachers:
        sections.append(prediction_table(teachers, labels))
        sections += [teacher_section(teacher, shown, labels) for teacher in teachers]
    sections.append(curves_section(encoders))
    if notes:
        sections.append(section("Left out", "", *(note(text) for text in notes)))
    lead = f"{encoders[0].measures.images} images from {origin}."
    return page("What " + _joined(labels) + (" sees" if len(labels) == 1 else " see"), lead, sections)


def findings_as_json(
    encoders: Sequence[EncoderView], teachers: Sequence[TeacherView], origin: str, notes: Sequence[str] = ()
) -> dict[str, Any]:
    """The measures as plain JSON values."""
    return {
        "images_from": origin,
        "encoders": {view.label: {"encoder": view.encoder_id} | view.measures.to_dict() for view in encoders},
        "teachers": {
            teacher.name: {
                "grid": list(teacher.grid),
                "normalised_by": teacher.normalised_by,
                "encoders": {
                    label: {
                        "cosine": float(prediction.cosine.mean()),
                        "cosine_centred": float(prediction.centred.mean()),
                    }
                    for label, prediction in teacher.predictions.items()
                },
            }
            for teacher in teachers
        },
        "notes": list(notes),
    }


def _joined(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else ", ".join(labels[:-1]) + " and " + labels[-1]
