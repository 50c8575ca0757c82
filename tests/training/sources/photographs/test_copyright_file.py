"""Licences of single files from a machine-readable copyright file."""

import pytest

from theia_training.sources.photographs.copyright_file import CopyrightFile

TEXT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: pictures

Files: *
Copyright: 2014, Somebody
License: GPL-3+

Files: src/fishes/fish1.jpg
       src/fishes/fish2.png
Copyright: Jane Doe,
           John Doe
License: CC-BY-SA-3.0
Comment: https://commons.wikimedia.org/wiki/File:Fish.jpg

Files: src/sea?.jpg
Copyright: nobody
License: public-domain
 Text of the licence.

License: GPL-3+
 On Debian systems ...
"""


@pytest.mark.parametrize(
    ("path", "licence"),
    [
        ("src/other.webp", "GPL-3+"),
        ("src/fishes/fish1.webp", "CC-BY-SA-3.0"),
        ("src/fishes/fish2.png", "CC-BY-SA-3.0"),
        ("src/fishes/fish12.webp", "GPL-3+"),
        ("src/sea3.webp", "public-domain"),
    ],
)
def test_the_last_matching_paragraph_holds_whatever_the_suffix(path, licence):
    assert CopyrightFile(TEXT).of(path).licence == licence


def test_holders_and_comment_are_told(path="src/fishes/fish2.webp"):
    found = CopyrightFile(TEXT).of(path)
    assert found.holders == "Jane Doe, John Doe" and found.comment.endswith("File:Fish.jpg")


def test_a_file_of_which_nothing_is_said_has_no_licence():
    assert CopyrightFile("Some free text.\n").of("a.jpg") is None
