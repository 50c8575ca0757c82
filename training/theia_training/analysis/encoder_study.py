"""Running encoders over the analysed images, once, for everything that a page shows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from theia_core.analysis.encoder_views import EncoderView, ShownImage
from theia_core.analysis.teacher_views import TeacherView
from theia_core.encoders import Encoder
from theia_core.errors import TheiaError
from theia_core.images import Preprocessing
from theia_training.analysis.analysed_images import AnalysedImage
from theia_training.analysis.prediction_study import PredictionStudy


class Findings(NamedTuple):
    """What there is to show: a view per encoder and per teacher, and the images that are shown."""

    encoders: list[EncoderView]
    teachers: list[TeacherView]
    shown: list[ShownImage]


def study(
    encoders: Mapping[str, Encoder],
    studies: Sequence[PredictionStudy],
    images: Iterable[AnalysedImage],
    show: int,
) -> Findings:
    """Encode every image with every encoder, and compare predictions with teachers.

    Args:
        encoders: by label.
        studies: one per teacher.
        images: each is looked at once; the tokens of all are kept (40 MB per 100 images of a ViT-B).
        show: how many of the first images are shown.

    Raises:
        TheiaError: if there is no image, or an encoder does not fit a teacher.
    """
    tokens: dict[str, list[np.ndarray]] = {label: [] for label in encoders}
    shown: list[ShownImage] = []
    resize = Preprocessing().resize
    for place, image in enumerate(images):
        if place < show:
            shown.append(ShownImage(image.key, place, resize(image.pixels)[0]))
        predictions: dict[str, dict[str, np.ndarray]] = {study.name: {} for study in studies}
        for label, encoder in encoders.items():
            tokens[label].append(encoder.encode(image.pixels)[0])
            if any(label in study.labels for study in studies):
                for teacher, features in encoder.translate(image.pixels).items():
                    if teacher in predictions:
                        predictions[teacher][label] = features[0]
        for study in studies:
            study.add(image, predictions[study.name])
    if not shown:
        raise TheiaError("none of the images can be read; look at the folder given to --images")
    views = [
        EncoderView(
            label, e.encoder_id, e.spec.description, e.spec.licence, e.spec.grid, np.stack(tokens[label])
        )
        for label, e in encoders.items()
    ]
    return Findings(views, [study.view(shown) for study in studies], shown)
