"""Folders of labelled images."""

import numpy as np
import pytest
from PIL import Image

from theia_core.encoders import load_encoder
from theia_core.errors import TheiaError
from theia_training.analysis.class_vectors import class_vectors
from theia_training.analysis.labelled_images import LabelledFolder


def write(path, shade=50):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), shade, np.uint8)).save(path)


@pytest.fixture
def kinds(tmp_path):
    for name in ("open/seed1__0", "open/seed1__1", "open/seed2__0", "shut/seed1__2", "shut/far/seed3__0"):
        write(tmp_path / "kinds" / f"{name}.png")
    return tmp_path / "kinds"


def test_the_first_folder_is_the_class_and_a_scene_is_one_source_in_every_class(kinds):
    images = LabelledFolder(kinds).images
    assert [(image.label, image.source) for image in images] == [
        ("open", "seed1"),
        ("open", "seed1"),
        ("open", "seed2"),
        ("shut", "far/seed3"),
        ("shut", "seed1"),
    ]


def test_a_limit_keeps_images_of_as_many_sources_as_possible(kinds):
    images = LabelledFolder(kinds, most=2).images
    assert sorted(image.source for image in images if image.label == "open") == ["seed1", "seed2"]


def test_an_image_beside_the_class_folders_is_refused_by_name(kinds):
    write(kinds / "stray.png")
    with pytest.raises(TheiaError, match="stray beside its class folders"):
        LabelledFolder(kinds)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(TheiaError, match="there is no folder"):
        LabelledFolder(tmp_path / "nowhere")


def test_vectors_are_those_of_the_encoder_and_computed_once(kinds, tmp_path, monkeypatch):
    encoder = load_encoder("efficientnet-lite2-s16", threads=1)
    write(kinds / "shut" / "seed9.png", shade=200)
    (kinds / "shut" / "broken.png").write_bytes(b"no image")
    folder = LabelledFolder(kinds)
    found = class_vectors(folder, folder.images, {"e": encoder}, "mean", tmp_path / "cache")
    assert len(found.unreadable) == 1
    assert "broken.png" in found.unreadable[0]
    assert found.labels == ["open"] * 3 + ["shut"] * 3
    assert [(c.name, c.images, c.sources) for c in found.classes] == [("open", 3, 2), ("shut", 3, 3)]
    bright = encoder.encode(np.full((8, 8, 3), 200, np.uint8), reduce="mean")[0]
    np.testing.assert_allclose(found.vectors["e"][found.sources.index("seed9")], bright, atol=1e-4)

    monkeypatch.setattr(encoder, "encode", lambda *_, **__: pytest.fail("encoded again"))
    again = class_vectors(folder, folder.images, {"e": encoder}, "mean", tmp_path / "cache")
    np.testing.assert_array_equal(again.vectors["e"], found.vectors["e"])
    wider = class_vectors(folder, folder.images, {"e": encoder}, "quadrants", tmp_path / "cache")
    assert wider.vectors["e"].shape == (6, 480)


def test_a_damaged_cache_is_computed_again(kinds, tmp_path):
    encoder = load_encoder("efficientnet-lite2-s16", threads=1)
    folder = LabelledFolder(kinds)
    found = class_vectors(folder, folder.images, {"e": encoder}, "max", tmp_path)
    file = tmp_path / f"{encoder.encoder_id}.npz"
    file.write_bytes(file.read_bytes()[:200])
    again = class_vectors(folder, folder.images, {"e": encoder}, "max", tmp_path)
    np.testing.assert_array_equal(again.vectors["e"], found.vectors["e"])
    file.write_bytes(b"")
    class_vectors(folder, folder.images, {"e": encoder}, "max", tmp_path)
