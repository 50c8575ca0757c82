"""The sheet of `theia analyze --sheet`: the right picture in the right cell."""

import numpy as np

from theia_core.analysis.prediction_sheet import BAR, CELL, MARGIN, prediction_sheet
from theia_core.analysis.rgb_basis import fit_rgb_basis
from theia_core.analysis.teacher_views import TeacherView, compare


def cell(sheet, row, column):
    top, left = BAR + row * (CELL + BAR // 2), MARGIN + column * (CELL + MARGIN)
    return sheet[top : top + CELL, left : left + CELL]


def first_pixels(picture, side):
    """One pixel from the middle of each token of a cell."""
    places = (np.arange(side) + 0.5) * CELL / side
    return picture[np.ix_(places.astype(int), places.astype(int))]


def teacher(label, error):
    random = np.random.default_rng(3)
    true = random.normal(size=(3, 16, 5)).astype(np.float32)
    predicted = compare(true + error * random.normal(size=true.shape).astype(np.float32), true)
    decoded = {"saliency": {"true": true[:, :, 0].reshape(3, 4, 4), label: np.zeros((3, 4, 4))}}
    return TeacherView("wise", (4, 4), "", true, {label: predicted}, decoded)


def test_true_and_predicted_features_stand_side_by_side_in_the_colours_of_the_truth(view, shown):
    one = view()
    wise = teacher(one.label, 0.5)
    sheet = prediction_sheet(one, [wise], shown)
    basis = fit_rgb_basis(wise.true)
    for row, image in enumerate(shown):
        true = basis.colours(wise.true[image.place]).reshape(4, 4, 3)
        predicted = basis.colours(wise.predictions[one.label].features[image.place]).reshape(4, 4, 3)
        np.testing.assert_array_equal(first_pixels(cell(sheet, row, 2), 4), true)
        np.testing.assert_array_equal(first_pixels(cell(sheet, row, 3), 4), predicted)
        tokens = fit_rgb_basis(one.tokens).colours(one.tokens[image.place]).reshape(*one.grid, 3)
        np.testing.assert_array_equal(first_pixels(cell(sheet, row, 1), one.grid[0]), tokens)
    assert sheet.shape[1] == 6 * (CELL + MARGIN) + MARGIN  # with the decoded truth and prediction


def test_a_teacher_that_the_encoder_does_not_predict_has_no_column(view, shown):
    sheet = prediction_sheet(view(), [teacher("another", 0.5)], shown)
    assert sheet.shape[1] == 2 * (CELL + MARGIN) + MARGIN
