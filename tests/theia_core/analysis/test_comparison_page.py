"""The page of `theia analyze`: one file, everything inside, the right picture in the right place."""

import json

import numpy as np
import pytest

from theia_core.analysis.comparison_page import comparison_page, findings_as_json
from theia_core.analysis.rgb_basis import fit_rgb_basis
from theia_core.analysis.teacher_views import TeacherView, compare


def teacher(predicted=("one",), decoded=None, error=0.5):
    random = np.random.default_rng(3)
    true = random.normal(size=(3, 9, 5)).astype(np.float32)
    predictions = {label: compare(true + error * random.normal(size=true.shape), true) for label in predicted}
    return TeacherView("wise", (3, 3), "normalised by the training set", true, predictions, decoded or {})


def test_a_page_of_one_encoder_has_its_measures_pictures_and_curves(read_page, view, shown):
    one = view()
    page = read_page(comparison_page([one], [], shown, "photographs"))
    for heading in ("What one sees", "Measures", "What the tokens look like", "Curves", "Norm entropy"):
        assert heading in page.text
    assert "teacher features" not in page.text
    assert [alt for alt, _ in page.pictures] == [
        "folder/first",
        "tokens of one as colours for folder/first",
        "token norms of one for folder/first",
        "folder/<last>",
        "tokens of one as colours for folder/<last>",
        "token norms of one for folder/<last>",
    ]
    expected = fit_rgb_basis(one.tokens).colours(one.tokens[2]).reshape(4, 4, 3)
    np.testing.assert_array_equal(page.pictures[4][1], expected)
    assert f"{one.measures.norm_entropy_nats:.2f}" in page.text
    assert "one & <co>" in page.text
    assert page.labels.count("one") == 3


def test_encoders_stand_side_by_side_in_the_order_given(read_page, view, shown):
    page = read_page(comparison_page([view("b"), view("a", grid=(2, 3), channels=2)], [], shown, "x"))
    measures, pictures = page.tables
    assert measures[0][1:] == ["b", "a"]
    assert measures[1] == ["Tokens per image", "16 x 6", "6 x 2"]
    assert [text[0] for text in pictures[0][1:]] == ["b", "a"]
    assert page.pictures[3][1].shape == (2, 3, 3)
    assert "What b and a see" in page.text


def test_norm_maps_of_one_encoder_share_one_scale(read_page, view, shown):
    one = view()
    one.tokens[0] *= 0.1
    page = read_page(comparison_page([one], [], shown, "x"))
    dark, bright = page.pictures[2][1], page.pictures[5][1]
    assert dark.astype(int).sum() < bright.astype(int).sum() / 1.5


def test_predictions_stand_beside_the_truth_in_the_colours_of_the_truth(read_page, view, shown):
    wise = teacher()
    page = read_page(comparison_page([view("zero"), view("one")], [wise], shown, "x"))
    pictures = dict(page.pictures)
    basis = fit_rgb_basis(wise.true)
    np.testing.assert_array_equal(
        pictures["true features of wise for folder/<last>"], basis.colours(wise.true[2]).reshape(3, 3, 3)
    )
    np.testing.assert_array_equal(
        pictures["wise as one predicts it for folder/<last>"],
        basis.colours(wise.predictions["one"].features[2]).reshape(3, 3, 3),
    )
    cosine = wise.predictions["one"].cosine
    table = next(rows for rows in page.tables if rows[0][0] == "Teacher")
    assert table[0] == ["Teacher", "one"]
    assert table[1][1].startswith(f"{cosine.mean():.3f}")
    assert f"cosine {cosine[2]:.2f}" in page.text
    assert "normalised by the training set" in page.text


def test_decoded_pictures_are_shown_on_the_scale_of_the_true_one(read_page, view, shown):
    ramp = np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4)
    decoded = {
        "depth": {"true": [ramp, ramp], "one": [ramp + 9, ramp / 2]},
        "colour": {
            "true": [np.full((2, 2, 3), 7, np.uint8)] * 2,
            "one": [np.full((2, 2, 3), 200, np.uint8)] * 2,
        },
    }
    page = read_page(comparison_page([view("one")], [teacher(decoded=decoded)], shown, "x"))
    found = [pixels for alt, pixels in page.pictures if alt == "decoded from one features for folder/first"]
    assert (found[0] == (253, 231, 36)).all() or (found[0] == (253, 231, 37)).all()
    assert (found[1] == 200).all()
    assert "depth" in page.text


def test_the_json_has_the_numbers_of_the_page(view, shown):
    values = findings_as_json([view("one")], [teacher(error=0.0)], "x", ["left out"])
    assert json.loads(json.dumps(values)) == values
    assert values["encoders"]["one"]["encoder"] == "one@0123"
    assert values["teachers"]["wise"]["encoders"]["one"]["cosine_centred"] == pytest.approx(1)
    assert values["notes"] == ["left out"]


def test_what_was_left_out_is_said(read_page, view, shown):
    page = read_page(comparison_page([view()], [], shown, "x", ["a.png is <empty>"]))
    assert "a.png is <empty>" in page.text
