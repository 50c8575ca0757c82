"""Packages are read without dpkg, and fetched only as pinned."""

import hashlib

import pytest

from theia_core.errors import TheiaError
from theia_training.sources.photographs import debian
from theia_training.sources.photographs.debian import DebianPackage, fetch, package_files

FILES = {"usr/share/a.jpg": b"odd length", "usr/share/doc/p/copyright": b"Format: x\n"}


def pinned(path, version="1.0-2"):
    return DebianPackage("some-photos", version, hashlib.sha256(path.read_bytes()).hexdigest(), "pool/p")


@pytest.mark.parametrize("compression", ["xz", "zst", "none"])
def test_installed_files_come_back(compression, tmp_path, write_deb):
    path = write_deb(tmp_path / "p.deb", FILES, compression)
    assert dict(package_files(path)) == FILES


def test_what_is_no_package_is_refused(tmp_path, write_deb):
    (tmp_path / "page.deb").write_bytes(b"<html>404</html>")
    with pytest.raises(TheiaError, match=r"page\.deb is no Debian package"):
        list(package_files(tmp_path / "page.deb"))
    whole = write_deb(tmp_path / "p.deb", FILES).read_bytes()
    (tmp_path / "head.deb").write_bytes(whole[:100])
    with pytest.raises(TheiaError, match=r"head\.deb holds no data\.tar"):
        list(package_files(tmp_path / "head.deb"))
    (tmp_path / "cut.deb").write_bytes(whole[:-60])
    with pytest.raises(TheiaError, match=r"cut\.deb ends inside data\.tar\.xz"):
        list(package_files(tmp_path / "cut.deb"))
    spoilt = whole.index(b"\xfd7zXZ") + 30
    (tmp_path / "spoilt.deb").write_bytes(whole[:spoilt] + b"\xff" * 20 + whole[spoilt + 20 :])
    with pytest.raises(TheiaError, match=r"spoilt\.deb: data\.tar\.xz cannot be unpacked"):
        list(package_files(tmp_path / "spoilt.deb"))


def test_a_given_package_is_used_and_one_in_the_cache_too(tmp_path, write_deb):
    path = write_deb(tmp_path / "some-photos_1.0-2_all.deb", FILES)
    other = write_deb(tmp_path / "some-photos-more_1.0-2_all.deb", FILES)
    assert fetch(pinned(path), tmp_path / "cache", (other, path)) == path
    assert fetch(pinned(path), tmp_path) == path


def test_another_version_of_the_package_is_refused(tmp_path, write_deb):
    path = write_deb(tmp_path / "some-photos_1.0-3_all.deb", FILES)
    expected = DebianPackage("some-photos", "1.0-2", "0" * 64, "pool/p")
    with pytest.raises(TheiaError, match=r"has sha256 .*, but some-photos 1\.0-2 has 0{64}; remove the file"):
        fetch(expected, tmp_path / "cache", (path,))


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A mirror in a folder, on a machine without apt-get."""
    monkeypatch.setattr(debian, "MIRROR", (tmp_path / "mirror").as_uri())
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "mirror" / "pool" / "p").mkdir(parents=True)
    return tmp_path / "mirror" / "pool" / "p"


def test_without_apt_the_mirror_is_asked_for_the_pinned_version(mirror, tmp_path, write_deb):
    path = write_deb(mirror / "some-photos_1.0-2_all.deb", FILES)
    found = fetch(pinned(path, "4:1.0-2"), tmp_path / "cache")  # the epoch is no part of the file's name
    assert found == tmp_path / "cache" / path.name and found.read_bytes() == path.read_bytes()


def test_a_package_that_is_nowhere_says_what_to_do(mirror, tmp_path):
    package = DebianPackage("some-photos", "1.0-2", "0" * 64, "pool/p")
    with pytest.raises(
        TheiaError, match=r"put some-photos_1\.0-2_all\.deb into .*cache or name it with --deb"
    ):
        fetch(package, tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*.deb"))
