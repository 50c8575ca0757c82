"""theia renders, as the user types it."""

import numpy as np
import pytest
from PIL import Image

from theia_core.cli import main


def run(*words):
    return main(["renders", *(str(word) for word in words)])


def test_renders_are_named_by_scene_and_an_interrupted_run_goes_on(tmp_path, capsys):
    words = ("door", "--images", 5, "--views", 2, "--out", tmp_path, "--workers", 1)
    assert run(*words) == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["500000__0.jpg", "500000__1.jpg", "500001__0.jpg", "500001__1.jpg", "500002__0.jpg"]
    with Image.open(tmp_path / "500001__1.jpg") as image:
        assert image.size == (640, 480) and np.asarray(image).std() > 20
    before = (tmp_path / "500001__0.jpg").read_bytes()
    kept_ns = (tmp_path / "500002__0.jpg").stat().st_mtime_ns
    (tmp_path / "500001__0.jpg").unlink()
    assert run(*words) == 0
    assert "2 of 3 scenes are there already" in capsys.readouterr().out
    assert (tmp_path / "500001__0.jpg").read_bytes() == before
    assert (tmp_path / "500002__0.jpg").stat().st_mtime_ns == kept_ns


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("dishes",), "no scenes of a task 'dishes'; known: door, pick_place, microwave, drawer"),
        (("door", "--images", 0), "--images 0 and --views 5 must be at least 1"),
        (("door", "--seed", 1000), "--seed 1000 belongs to demonstrations; choose 500000 or more"),
    ],
)
def test_what_cannot_be_drawn_is_refused(words, says, tmp_path, capsys):
    assert run(*words, "--out", tmp_path / "out") == 2
    assert says in capsys.readouterr().err
