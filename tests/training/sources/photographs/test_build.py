"""From packages to a folder of crops with its table and its licences."""

import csv
import hashlib
import zipfile
from dataclasses import replace

import pytest
from PIL import Image

from theia_core.cli import main
from theia_core.errors import TheiaError
from theia_training.sources import UnreadableImage, open_source
from theia_training.sources.photographs import samples
from theia_training.sources.photographs.build import build
from theia_training.sources.photographs.catalogue import PhotoPackage
from theia_training.sources.photographs.debian import DebianPackage
from theia_training.sources.photographs.from_packages import debian_photographs, sample_photographs
from theia_training.sources.photographs.photograph import Photograph, photograph_name
from theia_training.sources.photographs.samples import SamplePhoto

COPYRIGHT = b"""Format: x

Files: *
Copyright: All of us
License: GPL-3+

Files: src/animals/owl.jpg
Copyright: Jane Doe
License: CC-BY-4.0
"""


@pytest.fixture
def entry(tmp_path, smooth, encoded, write_deb, write_rcc):
    """A package with two photographs in a container (one of them twice) and two files beside it."""
    container = write_rcc(
        {
            "/gcompris/src/animals/owl.jpg": encoded(smooth(1), quality=95),
            "/gcompris/src/animals/owl small.jpg": encoded(smooth(1).resize((240, 180)), quality=80),
            "/gcompris/src/animals/duck.jpg": encoded(smooth(2), quality=95),
            "/gcompris/src/drawing.svg": b"<svg/>",
        },
        compress="zlib",
    )
    files = {
        "usr/share/rcc/animals.rcc": container,
        "usr/share/doc/some-photos/copyright": COPYRIGHT,
        "usr/share/pictures/tiny.jpg": encoded(smooth(3, 90, 70)),
        "usr/share/pictures/icon.png": encoded(smooth(4), "PNG"),
    }
    path = write_deb(tmp_path / "some-photos_1.0_all.deb", files)
    package = DebianPackage("some-photos", "1.0", hashlib.sha256(path.read_bytes()).hexdigest(), "pool/p")
    include = ("/gcompris/src/*.jpg", "usr/share/pictures/*.jpg")
    return PhotoPackage(package, "some", "CC0-1.0", include, prefix=("/gcompris/", ""))


def rows_of(folder):
    with (folder / "sources.csv").open(newline="") as stream:
        return {row["source"]: row for row in csv.DictReader(stream)}


def test_photographs_carry_their_own_licence(entry, tmp_path):
    found = {photograph.path: photograph for photograph in debian_photographs(entry, tmp_path, ())}
    assert set(found) == {
        "/gcompris/src/animals/owl.jpg",
        "/gcompris/src/animals/owl small.jpg",
        "/gcompris/src/animals/duck.jpg",
        "usr/share/pictures/tiny.jpg",
    }
    owl = found["/gcompris/src/animals/owl.jpg"]
    assert (owl.licence, owl.origin, owl.version) == ("CC-BY-4.0", "Jane Doe", "1.0")
    assert found["/gcompris/src/animals/duck.jpg"].licence == "GPL-3+"


def test_the_folder_holds_each_photograph_once_with_its_table(entry, tmp_path):
    out = tmp_path / "photos"
    report = build(((p, entry.min_side_px) for p in debian_photographs(entry, tmp_path, ())), out)
    rows = rows_of(out)
    assert set(rows) == {"some-owl", "some-duck"}
    assert report.left_out["some-owl-small"] == "the same photograph as some-owl"
    assert report.left_out["some-pictures-tiny"] == "90x70 is below 160 pixels"
    assert rows["some-owl"]["licence"] == "CC-BY-4.0" and rows["some-owl"]["width"] == "400"
    assert int(rows["some-owl"]["crops"]) == len(list(out.glob("some-owl__*.jpg")))
    text = (out / "LICENCES.md").read_text()
    assert "| some-owl | CC-BY-4.0 | Jane Doe |" in text and "| some-photos | 1.0 | GPL-3+ | 1 |" in text


def test_its_crops_are_images_whose_sources_are_the_photographs(entry, tmp_path):
    out = tmp_path / "photos"
    report = build(((p, 160) for p in debian_photographs(entry, tmp_path, ())), out)
    refs = open_source(out).refs()
    assert len(refs) == report.crops
    assert {ref.source for ref in refs} == {"photos/some-owl", "photos/some-duck"}


def test_an_interrupted_run_goes_on_and_ends_the_same(entry, tmp_path):
    def run(out):
        build(((p, 160) for p in debian_photographs(entry, tmp_path, ())), out)
        return {path.name: path.read_bytes() for path in sorted(out.iterdir())}

    whole = run(tmp_path / "photos")
    kept = tmp_path / "photos" / "some-duck__000.jpg"
    before_ns = kept.stat().st_mtime_ns
    (tmp_path / "photos" / "some-owl__003.jpg").unlink()
    (tmp_path / "photos" / "sources.csv").unlink()
    assert run(tmp_path / "photos") == whole
    assert kept.stat().st_mtime_ns == before_ns


def test_two_photographs_of_one_name_stay_apart(smooth, encoded, tmp_path):
    pictures = [
        Photograph("a", "p", "1", "CC0-1.0", "", f"{seed}.jpg", encoded(smooth(seed))) for seed in (1, 2)
    ]
    assert {row["source"] for row in build(((p, 1) for p in pictures), tmp_path).rows} == {"a", "a-2"}


def test_a_picture_that_cannot_be_decoded_is_named(tmp_path):
    broken = Photograph("a", "some-photos", "1", "CC0-1.0", "", "usr/x.jpg", b"\xff\xd8\xff\xe0 no more")
    with pytest.raises(UnreadableImage, match=r"some-photos: usr/x\.jpg cannot be decoded"):
        build([(broken, 1)], tmp_path)


def test_a_package_without_its_photographs_is_refused(entry, tmp_path):
    with pytest.raises(TheiaError, match="holds none of the photographs"):
        debian_photographs(replace(entry, include=("usr/share/elsewhere/*",)), tmp_path, ())


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/gcompris/src/activities/erase/resource/bee.webp", "gcompris-erase-bee"),
        ("usr/share/backgrounds/Wine_by__Jakkub.jpg", "gcompris-Wine_by_Jakkub"),
        ("usr/share/wallpapers/Path/contents/images/2560x1600.jpg", "gcompris-Path"),
    ],
)
def test_names_say_what_is_seen_and_never_look_like_a_crop(path, name):
    assert photograph_name("gcompris", path) == name


@pytest.fixture
def wheel(tmp_path, smooth, encoded):
    """A wheel with one sample, and the sample's entry."""
    data = encoded(smooth(7), "PNG")
    path = tmp_path / "no_such_project-2.5-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("nosuchproject/data/cup.png", data)
    sha256 = hashlib.sha256(data).hexdigest()
    return path, SamplePhoto("no-such-project", "nosuchproject/data/cup.png", sha256, "CC0-1.0", "Jane Doe")


def test_samples_come_out_of_wheels(wheel, tmp_path):
    path, sample = wheel
    (photograph,) = sample_photographs((sample,), tmp_path / "cache", (path,))
    assert photograph.version == "2.5" and photograph.open().size == (400, 300)
    with pytest.raises(TheiaError, match=r"not 0{64}; use a release"):
        list(sample_photographs((replace(sample, sha256="0" * 64),), tmp_path / "cache", (path,)))


def test_the_command_builds_the_evaluation_set(wheel, tmp_path, monkeypatch, capsys):
    path, sample = wheel
    monkeypatch.setattr(samples, "EVALUATION", (sample,))
    out = tmp_path / "eval"
    assert main(["photos", "--set", "evaluation", "--out", str(out), "--wheel", str(path)]) == 0
    assert "1 photographs, 8 crops" in capsys.readouterr().out
    with Image.open(out / "no-such-project-nosuchproject-cup__000.jpg") as image:
        assert image.size == (341, 256)
