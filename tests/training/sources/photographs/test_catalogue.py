"""The catalogue is data; these hold it to what is said of it."""

import re

import pytest

from theia_core.errors import TheiaError
from theia_training.sources.photographs.catalogue import TRAINING, PhotoPackage
from theia_training.sources.photographs.samples import EVALUATION


def test_everything_is_pinned_and_licensed():
    for entry in TRAINING:
        assert re.fullmatch(r"[0-9a-f]{64}", entry.package.sha256) and entry.package.version and entry.licence
        assert entry.package.pool.startswith("pool/main/")  # not contrib, not non-free
    for sample in EVALUATION:
        assert re.fullmatch(r"[0-9a-f]{64}", sample.sha256) and sample.licence and sample.origin
    names = [entry.package.name for entry in TRAINING]
    assert len(set(names)) == len(names)


def test_no_package_gives_both_training_and_evaluation_photographs():
    projects = {sample.project for sample in EVALUATION}
    assert not projects & {entry.package.name for entry in TRAINING}
    assert len({sample.sha256 for sample in EVALUATION}) == len(EVALUATION)


@pytest.mark.parametrize(
    ("package", "path", "wanted"),
    [
        ("gcompris-qt-data", "/gcompris/src/activities/erase/resource/bee.webp", True),
        (
            "gcompris-qt-data",
            "/gcompris/src/activities/categorization/resource/images/tools/hammer1.webp",
            True,
        ),
        ("gcompris-qt-data", "/gcompris/src/activities/paintings/resource/MonaLisa_a1.webp", False),
        ("gcompris-qt-data", "/gcompris/src/activities/details/resource/image/Gogh4_background.webp", False),
        ("gcompris-qt-data", "/gcompris/src/activities/details/resource/image/TajMahal_3.webp", False),
        ("scratch", "usr/share/scratch/Media/Backgrounds/Indoors/kitchen.jpg", True),
        ("scratch", "usr/share/scratch/Media/Backgrounds/Outdoors/night-city.gif", False),
        ("tuxpaint-stamps-default", "usr/share/tuxpaint/stamps/household/tools/hammer.png", True),
        ("tuxpaint-stamps-default", "usr/share/tuxpaint/stamps/animals/birds/cartoon/duck.png", False),
        ("mate-backgrounds", "usr/share/backgrounds/mate/abstract/Elephants.jpg", False),
    ],
)
def test_photographs_are_wanted_and_drawings_are_not(package, path, wanted):
    entry = next(entry for entry in TRAINING if entry.package.name == package)
    assert entry.wants(path) is wanted


def test_an_entry_without_paths_is_refused():
    with pytest.raises(TheiaError, match="includes no path"):
        PhotoPackage(TRAINING[0].package, "x", "CC0-1.0", include=())
