"""`theia analyze` and `theia probe`, from the command line to the page."""

import json

import numpy as np
import pytest
from PIL import Image

from theia_core.analysis.prediction_sheet import CELL
from theia_core.cli import main


@pytest.fixture
def student(tmp_path, feature_store):
    """A small untrained Theia that predicts the teachers of `feature_store`."""
    import torch

    from theia_core.encoders.theia import TheiaModel
    from theia_core.encoders.theia_checkpoint import save_theia_checkpoint
    from theia_core.encoders.theia_variants import TheiaVariant
    from theia_training.features.store import FeatureStore

    torch.manual_seed(0)
    targets = {teacher.name: teacher.size for teacher in FeatureStore(feature_store).teachers}
    save_theia_checkpoint(TheiaModel(TheiaVariant("student", "tiny", targets)).eval(), tmp_path / "student")
    return tmp_path / "student"


@pytest.fixture
def kinds(tmp_path):
    """Reddish and bluish pictures, two crops of each of five sources."""
    random = np.random.default_rng(0)
    for kind, colour in (("red", (200, 40, 40)), ("blue", (40, 40, 200))):
        (tmp_path / "kinds" / kind).mkdir(parents=True)
        for source in range(5):
            for crop in range(2):
                pixels = np.clip(np.array(colour) + random.normal(0, 30, (24, 24, 3)), 0, 255).astype(
                    np.uint8
                )
                Image.fromarray(pixels).save(tmp_path / "kinds" / kind / f"{kind}{source}__{crop}.png")
    return tmp_path / "kinds"


def test_analyze_writes_a_page_and_its_numbers(tmp_path, image_folder, capsys):
    (image_folder / "broken.png").write_bytes(b"not an image")
    arguments = [
        "analyze",
        "--encoder",
        "efficientnet-lite2-s16",
        "--images",
        str(image_folder),
        "--threads",
        "1",
    ]
    page, numbers = tmp_path / "new" / "page.html", tmp_path / "page.json"
    assert main([*arguments, "--out", str(page), "--json", str(numbers), "--show", "2"]) == 0
    printed = capsys.readouterr().out
    values = json.loads(numbers.read_text())
    assert values["encoders"]["efficientnet-lite2-s16"]["images"] == 16
    assert "broken.png" in values["notes"][0]
    assert "norm entropy" in printed
    assert page.read_text().count("<img") == 2 * 3
    assert main([*arguments, "--out", str(tmp_path / "again.html"), "--show", "2"]) == 0
    assert (tmp_path / "again.html").read_text() == page.read_text()


def test_analyze_compares_a_students_predictions_with_stored_features(
    tmp_path, feature_store, student, capsys
):
    page, numbers = tmp_path / "page.html", tmp_path / "page.json"
    arguments = [
        "analyze",
        "--encoder",
        f"mine={student}",
        "--features",
        str(feature_store),
        "--threads",
        "1",
    ]
    sheet = tmp_path / "sheet.png"
    more = ["--json", str(numbers), "--limit", "3", "--sheet", str(sheet)]
    assert main([*arguments, "--out", str(page), *more]) == 0
    with Image.open(sheet) as picture:
        assert picture.width > 6 * CELL  # image, tokens, and two teachers twice
    values = json.loads(numbers.read_text())
    assert set(values["teachers"]) == {"colours", "greys"}
    assert "of the training set" in values["teachers"]["colours"]["normalised_by"]
    assert -1 <= values["teachers"]["greys"]["encoders"]["mine"]["cosine"] <= 1
    assert "colours as mine predicts it" in page.read_text()
    assert "features of colours are not decoded" in capsys.readouterr().out


def test_analyze_leaves_out_teachers_that_are_not_to_be_had(tmp_path, image_folder, student, capsys):
    arguments = ["analyze", "--encoder", str(student), "--images", str(image_folder), "--threads", "1"]
    assert (
        main([*arguments, "--out", str(tmp_path / "page.html"), "--teacher", "greys=none", "--limit", "2"])
        == 0
    )
    assert "colours is not compared with its teacher" in (tmp_path / "page.html").read_text()
    assert "greys" not in capsys.readouterr().out


def test_true_features_of_a_teacher_are_normalised_by_the_images_where_there_is_no_store(
    tmp_path, image_folder, student, pooled_colours, monkeypatch
):
    class Decoding(pooled_colours):
        def decode(self, features):
            return {"first channel": features[:, 0]} if self.spec.name == "colours" else None

    def load(name, threads):
        return Decoding() if name == "colours" else Decoding("greys", 2, 14, 1)

    monkeypatch.setattr("theia_training.analysis.teachers_of_encoders.load_teacher", load)
    numbers = tmp_path / "page.json"
    arguments = ["analyze", "--encoder", str(student), "--images", str(image_folder), "--threads", "1"]
    assert (
        main([*arguments, "--out", str(tmp_path / "page.html"), "--json", str(numbers), "--limit", "3"]) == 0
    )
    values = json.loads(numbers.read_text())
    assert "over the analysed images" in values["teachers"]["colours"]["normalised_by"]
    assert (tmp_path / "page.html").read_text().count("decoded from true features") == 3


def test_probe_recognises_colours_and_writes_a_page(tmp_path, kinds, capsys):
    arguments = ["probe", "--encoder", "efficientnet-lite2-s16", "--images", str(kinds), "--threads", "1"]
    page, numbers = tmp_path / "probe.html", tmp_path / "probe.json"
    files = ["--out", str(page), "--json", str(numbers), "--cache", str(tmp_path / "cache")]
    assert main([*arguments, *files, "--seeds", "3"]) == 0
    values = json.loads(numbers.read_text())
    assert values["encoders"]["efficientnet-lite2-s16"]["linear"]["class_mean_accuracy"] > 0.9
    assert values["classes"] == {"blue": {"images": 10, "sources": 5}, "red": {"images": 10, "sources": 5}}
    assert "20 images of 2 classes, chance 50.0 %" in capsys.readouterr().out
    assert "Telling classes apart" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["analyze"], "no images"),
        (["analyze", "--images", "kinds", "--show", "0"], "at least 1"),
        (["analyze", "--images", "kinds", "--encoder", "efficientnet-lite2-s16"], "tell them apart"),
        (["analyze", "--images", "kinds", "--teacher", "clip"], "NAME=PLACE"),
        (["analyze", "--images", "kinds", "--teacher", "clip=none"], "no encoder predicts clip"),
        (["probe", "--images", "kinds/red"], "beside its class folders"),
        (["probe", "--images", "kinds", "--pool", "median", "--cache", "cache"], "unknown pooling"),
        (["probe", "--images", "kinds", "--pool", "cls", "--cache", "cache"], "no CLS token"),
        (["probe", "--images", "kinds", "--seeds", "1"], "two random splits"),
        (["probe", "--images", "kinds", "--most", "1"], "--most is 1"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path, kinds, monkeypatch, capsys, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "--encoder", "efficientnet-lite2-s16", "--out", "page.html"]) == 2
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


def test_probe_refuses_a_class_of_one_source_before_it_encodes(tmp_path, kinds, capsys):
    for path in (kinds / "red").glob("red[1-4]*"):
        path.unlink()
    arguments = ["probe", "--encoder", "nonsense", "--images", str(kinds), "--out", str(tmp_path / "p.html")]
    assert main(arguments) == 2
    assert "all images of red come from one source" in capsys.readouterr().err


def test_a_store_of_evaluation_images_borrows_the_training_sets_deviation_from_another(
    tmp_path, feature_store, student, image_folder, pooled_colours
):
    from theia_training.features.extract import ExtractConfig, Extraction, items_of
    from theia_training.features.store import FeatureStore
    from theia_training.sources import open_source

    teachers = [pooled_colours(has_cls=True), pooled_colours("greys", 2, 14, 1, has_cls=True)]
    config = ExtractConfig(tmp_path / "evaluation", held_out=0.9999)
    Extraction(items_of([open_source(image_folder)]), teachers, config).run()
    held_out = sum(e.split == "held_out" for _, e in FeatureStore(feature_store).entries)
    told = []
    for stores in (["evaluation"], ["features", "evaluation"]):
        names = [str(tmp_path / store) for store in stores]
        arguments = ["analyze", "--encoder", str(student), "--features", *names, "--threads", "1"]
        numbers = tmp_path / "page.json"
        assert main([*arguments, "--out", str(tmp_path / "page.html"), "--json", str(numbers)]) == 0
        told.append(json.loads(numbers.read_text()))
    assert [values["encoders"]["student"]["images"] for values in told] == [16, 16 + held_out]
    assert "analysed images" in told[0]["teachers"]["colours"]["normalised_by"]
    assert "training set" in told[1]["teachers"]["colours"]["normalised_by"]
