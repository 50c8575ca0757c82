"""One picture of an encoder: images, their tokens, and teachers' features, true and as it predicts them."""

from collections.abc import Sequence

import cv2
import numpy as np

from theia_core.analysis.encoder_views import EncoderView, ShownImage
from theia_core.analysis.rgb_basis import fit_rgb_basis
from theia_core.analysis.teacher_views import TRUE, TeacherView, decoded_colours

CELL, BAR, MARGIN = 160, 40, 6
_PAPER, _INK = 255, (40, 40, 40)


def prediction_sheet(
    view: EncoderView, teachers: Sequence[TeacherView], images: Sequence[ShownImage]
) -> np.ndarray:
    """Images in rows; columns are the image, its tokens, and of each teacher true and predicted features.

    Features have the colours of `teacher_section`: the three main directions of the true ones. Below each
    prediction stands its cosine per token. What a teacher's remaining layers decode follows its features.

    Args:
        view: the encoder.
        teachers: those that it does not predict are left out.
        images: at least one.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    headings, columns = (
        ["image", f"tokens of {view.label}"],
        [
            [(image.pixels, "") for image in images],
            _coloured(view.tokens, images, view.grid),
        ],
    )
    for teacher in teachers:
        prediction = teacher.predictions.get(view.label)
        if prediction is None:
            continue
        basis = fit_rgb_basis(teacher.true)
        for heading, features, cosines in (
            (f"{teacher.name}: true", teacher.true, None),
            ("predicted", prediction.features, prediction.cosine),
        ):
            headings.append(heading)
            columns.append(
                [
                    (
                        basis.colours(features[image.place]).reshape(*teacher.grid, 3),
                        "" if cosines is None else f"cosine {cosines[image.place]:.2f}",
                    )
                    for image in images
                ]
            )
        for title, pictures in teacher.decoded.items():
            for label in (TRUE, view.label):
                headings.append(f"{title} from {'true' if label == TRUE else 'predicted'}")
                columns.append(
                    [
                        (decoded_colours(pictures[label][row], pictures[TRUE][row]), "")
                        for row in range(len(images))
                    ]
                )
    return _drawn(headings, columns)


def _coloured(
    tokens: np.ndarray, images: Sequence[ShownImage], grid: tuple[int, int]
) -> list[tuple[np.ndarray, str]]:
    basis = fit_rgb_basis(tokens)
    return [(basis.colours(tokens[image.place]).reshape(*grid, 3), "") for image in images]


def _drawn(headings: Sequence[str], columns: Sequence[Sequence[tuple[np.ndarray, str]]]) -> np.ndarray:
    """Cells with what is written below them, under their headings."""
    rows = len(columns[0])
    row_height = CELL + BAR // 2
    sheet = np.full((BAR + rows * row_height, len(columns) * (CELL + MARGIN) + MARGIN, 3), _PAPER, np.uint8)
    for place, (heading, cells) in enumerate(zip(headings, columns, strict=True)):
        left = MARGIN + place * (CELL + MARGIN)
        _write(sheet, heading, left, BAR - 14)
        for row, (pixels, caption) in enumerate(cells):
            top = BAR + row * row_height
            way = cv2.INTER_AREA if len(pixels) > CELL else cv2.INTER_NEAREST
            sheet[top : top + CELL, left : left + CELL] = cv2.resize(pixels, (CELL, CELL), interpolation=way)
            _write(sheet, caption, left, top + CELL + 14)
    return sheet


def _write(sheet: np.ndarray, text: str, left: int, bottom: int) -> None:
    """Text no wider than a cell."""
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.45
    width = cv2.getTextSize(text, font, scale, 1)[0][0]
    scale *= min(1.0, CELL / max(width, 1))
    cv2.putText(sheet, text, (left, bottom), font, scale, _INK, 1, cv2.LINE_AA)
