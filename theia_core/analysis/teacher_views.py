"""A teacher's features as encoders predict them, beside the true ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np

from theia_core.analysis.cosine import feature_cosines
from theia_core.analysis.encoder_views import ShownImage, image_cell
from theia_core.analysis.page.html import note, picture, section, table
from theia_core.analysis.rgb_basis import fit_rgb_basis
from theia_core.analysis.token_map import viridis

TRUE = "true"
# Decoded pictures with more rows than any grid of tokens are embedded as photographs, which are smaller.
_TOKENS_ACROSS = 64


@dataclass(frozen=True)
class Prediction:
    """One encoder's prediction of one teacher.

    Attributes:
        features: (B, N, C) float32, normalised.
        cosine: (B,) mean over the tokens of each image.
        centred: (B,) the same after each image's mean token is taken from both (`cosine.feature_cosines`).
    """

    features: np.ndarray
    cosine: np.ndarray
    centred: np.ndarray


def compare(predicted: np.ndarray, true: np.ndarray) -> Prediction:
    """Prediction (B, N, C) against the truth of the same shape, both normalised.

    Raises:
        TheiaError: if shapes differ, or features are not finite.
    """
    cosine, centred = feature_cosines(predicted, true)
    return Prediction(predicted, cosine.mean(axis=1), centred.mean(axis=1))


@dataclass(frozen=True)
class TeacherView:
    """One teacher and every encoder that predicts it, over B images.

    Attributes:
        name: the teacher's name.
        grid: (h, w) of its features.
        normalised_by: whose mean and deviation normalise the features, in words.
        true: (B, h*w, C) float32, normalised.
        predictions: by the label of the encoder.
        decoded: what the teacher's remaining layers make of features: title -> "true" or encoder's label ->
            pictures, one for each shown image, (H, W, 3) uint8 or (H, W) floats.
    """

    name: str
    grid: tuple[int, int]
    normalised_by: str
    true: np.ndarray
    predictions: Mapping[str, Prediction]
    decoded: Mapping[str, Mapping[str, Sequence[np.ndarray]]] = field(default_factory=dict)


def prediction_table(teachers: Sequence[TeacherView], labels: Sequence[str]) -> str:
    """Section with the cosines of all teachers and encoders."""
    labels = [label for label in labels if any(label in teacher.predictions for teacher in teachers)]
    rows = []
    for teacher in teachers:
        for kind, values in (("cosine", "cosine"), ("mean-centred", "centred")):
            cells = [
                _mean_and_range(getattr(teacher.predictions[label], values))
                if label in teacher.predictions
                else "-"
                for label in labels
            ]
            rows.append([f"{escape(teacher.name)}, {kind}", *cells])
    images = len(teachers[0].true)
    notes: dict[str, list[str]] = {}
    for teacher in teachers:
        notes.setdefault(teacher.normalised_by, []).append(teacher.name)
    return section(
        "Predicted against true teacher features",
        f"Cosine of predicted and true feature of a token, mean over {images} images and, below, the range "
        "of nine images in ten. It is relative to the mean feature of all images; mean-centred, relative to "
        "each image's own mean, so that only what differs within an image counts. 1 is a perfect prediction, "
        "0 is what predicting that mean would give.",
        table(["Teacher", *labels], rows),
        *(note(f"{', '.join(names)}: {text}.") for text, names in notes.items()),
    )


def teacher_section(teacher: TeacherView, images: Sequence[ShownImage], labels: Sequence[str]) -> str:
    """Section with true and predicted features as colours, along the true features' main directions."""
    present = [label for label in labels if label in teacher.predictions]
    basis = fit_rgb_basis(teacher.true)
    rows = []
    for image in images:
        colours = basis.colours(teacher.true[image.place]).reshape(*teacher.grid, 3)
        cells = [image_cell(image), picture(colours, f"true features of {teacher.name} for {image.name}")]
        for label in present:
            prediction = teacher.predictions[label]
            colours = basis.colours(prediction.features[image.place]).reshape(*teacher.grid, 3)
            cosine, centred = prediction.cosine[image.place], prediction.centred[image.place]
            caption = f"cosine {_rounded(cosine, 2)}, centred {_rounded(centred, 2)}"
            cells.append(picture(colours, f"{teacher.name} as {label} predicts it for {image.name}", caption))
        rows.append(cells)
    intro = (
        f"True and predicted features as colours, along the three main directions of the true ones "
        f"({100 * basis.explained:.0f} % of their variation), the same for all images and encoders."
    )
    tables = [table(["Image", "True", *present], rows, "pictures")]
    for title, pictures in teacher.decoded.items():
        tables.append(note(f"What the teacher's own remaining layers make of the features: {title}."))
        tables.append(_decoded_table(pictures, images, present))
    return section(f"Teacher {teacher.name}", intro, *tables)


def _decoded_table(
    pictures: Mapping[str, Sequence[np.ndarray]], images: Sequence[ShownImage], labels: Sequence[str]
) -> str:
    rows = []
    for index, image in enumerate(images):
        cells = [image_cell(image)]
        for label in (TRUE, *labels):
            alt = f"decoded from {label} features for {image.name}"
            pixels = decoded_colours(pictures[label][index], pictures[TRUE][index])
            cells.append(picture(pixels, alt, photograph=len(pixels) > _TOKENS_ACROSS))
        rows.append(cells)
    return table(["Image", "From true", *(f"From {label}" for label in labels)], rows, "pictures")


def decoded_colours(pixels: np.ndarray, true: np.ndarray) -> np.ndarray:
    """A decoded picture as RGB; floats in viridis over the true picture's range."""
    pixels, true = np.asarray(pixels), np.asarray(true)
    if pixels.ndim == 3 and pixels.dtype == np.uint8:
        return pixels
    low, high = float(true.min()), float(true.max())
    return viridis((pixels - low) / max(high - low, 1e-12))


def _mean_and_range(values: np.ndarray) -> str:
    low, high = (_rounded(value, 2) for value in np.percentile(values, [5, 95]))
    return f'{_rounded(values.mean(), 3)}<br><span class="range">{low} to {high}</span>'


def _rounded(value: float, digits: int) -> str:
    """A number without "-0.00"."""
    return f"{round(float(value), digits) + 0.0:.{digits}f}"
