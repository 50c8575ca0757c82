"""The page of `theia probe`."""

import json

import numpy as np

from theia_core.analysis.probe_page import LabelledClass, probe_page, scores_as_json
from theia_core.analysis.probing import ProbeConfig, Scores

CONFIG = ProbeConfig(seeds=3, k=5)
CLASSES = [LabelledClass(name, 20, 5, np.zeros((8, 8, 3), np.uint8)) for name in ("cats", "d<o>gs")]


def scores(*values):
    return Scores(np.array(values), 0.4, np.array([[0.9, 0.1], [0.3, 0.7]]))


FOUND = {
    "first": {"k-NN": scores(0.7, 0.8, 0.75), "linear": scores(0.8, 0.85, 0.8)},
    "second": {"k-NN": scores(0.6, 0.7, 0.65), "linear": scores(0.9, 0.95, 0.9)},
}
IDS = {"first": "first@1", "second": "second@2"}


def test_the_page_has_accuracies_differences_and_classes(read_page):
    page = read_page(probe_page(FOUND, IDS, CLASSES, CONFIG, "mean", "data/kinds"))
    accuracy, differences, classes = page.tables
    assert accuracy[0] == ["Encoder", "k-NN", "linear"]
    assert accuracy[1][1].startswith("75.0 %")
    assert accuracy[-1] == ["chance", "50.0 %", "50.0 %"]
    assert differences[1][0] == "second"
    assert differences[1][1].startswith("-10.0-10.0 to -10.0")
    assert differences[1][2].startswith("+10.0")
    assert classes[1][1] == "90.0 %as d<o>gs 10.0 %"
    assert len(page.pictures) == 2
    assert "40 images of 2 classes, cut from 10 sources, in data/kinds" in page.text


def test_one_encoder_has_nothing_to_differ_from(read_page):
    page = read_page(probe_page({"first": FOUND["first"]}, IDS, CLASSES, CONFIG, "mean", "x", ["gone.png"]))
    assert "Difference" not in page.text
    assert "gone.png" in page.text


def test_the_json_keeps_every_split():
    values = scores_as_json(FOUND, IDS, CLASSES, CONFIG, "mean", "x")
    assert json.loads(json.dumps(values)) == values
    assert values["encoders"]["second"]["k-NN"]["splits"] == [0.6, 0.7, 0.65]
    assert values["encoders"]["first"]["linear"]["per_class"] == {"cats": 0.9, "d<o>gs": 0.7}
    assert values["config"] == {"seeds": 3, "test_share": 0.3, "k": 5, "pool": "mean"}
