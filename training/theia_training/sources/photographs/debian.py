"""Debian packages: fetching them pinned by version and sha256, and reading their files without dpkg."""

import hashlib
import io
import shutil
import subprocess
import tarfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from theia_core.errors import TheiaError

MIRROR = "https://deb.debian.org/debian"
_AR_MAGIC = b"!<arch>\n"
_TIMEOUT_S = 60


@dataclass(frozen=True)
class DebianPackage:
    """One package, exactly.

    Attributes:
        name: package name.
        version: full version, with an epoch where it has one.
        sha256: of the .deb file, in hex.
        pool: folder of the .deb below the mirror.
    """

    name: str
    version: str
    sha256: str
    pool: str

    @property
    def file_name(self) -> str:
        """Name of the .deb in the mirror's pool (without the epoch)."""
        return f"{self.name}_{self.version.partition(':')[2] or self.version}_all.deb"


def fetch(package: DebianPackage, cache: Path, given: tuple[Path, ...] = ()) -> Path:
    """The package's file: one of `given`, from the cache, through apt-get, or from Debian's mirror.

    Raises:
        TheiaError: if it is nowhere to be had, or its sha256 is another.
    """
    for path in (*given, *sorted(cache.glob(f"{package.name}_*.deb"))):
        if path.name.startswith(f"{package.name}_"):
            _verify(path, package)
            return path
    cache.mkdir(parents=True, exist_ok=True)
    path = _through_apt(package, cache) or _from_mirror(package, cache)
    _verify(path, package)
    return path


def _through_apt(package: DebianPackage, cache: Path) -> Path | None:
    """Fetch with apt-get where there is one that knows this version."""
    apt = shutil.which("apt-get")
    if apt is None:
        return None
    command = [apt, "download", "-q", f"{package.name}={package.version}"]
    if subprocess.run(command, cwd=cache, capture_output=True, check=False).returncode != 0:
        return None
    return next(iter(sorted(cache.glob(f"{package.name}_*.deb"))), None)


def _from_mirror(package: DebianPackage, cache: Path) -> Path:
    url = f"{MIRROR}/{package.pool}/{package.file_name}"
    path = cache / package.file_name
    partial = path.with_suffix(".part")
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as reply, partial.open("wb") as target:
            shutil.copyfileobj(reply, target)
    except (urllib.error.URLError, OSError) as error:
        raise TheiaError(
            f"cannot fetch {package.name} {package.version} with apt-get or from {url}: {error}; "
            f"put {package.file_name} into {cache} or name it with --deb"
        ) from error
    return partial.replace(path)


def _verify(path: Path, package: DebianPackage) -> None:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise TheiaError(f"cannot read {path}: {error.strerror}; check the path") from error
    if digest.hexdigest() != package.sha256:
        raise TheiaError(
            f"{path} has sha256 {digest.hexdigest()}, but {package.name} {package.version} has "
            f"{package.sha256}; remove the file or give that version"
        )


def package_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Path (without the leading "./") and bytes of each regular file that a .deb installs.

    Raises:
        TheiaError: if it is no Debian package, or compressed in an unknown way.
    """
    name, data = _data_archive(path)
    if name.endswith(".zst"):
        import zstandard

        data = zstandard.ZstdDecompressor().stream_reader(data).read()
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as archive:
            for member in archive:
                if member.isreg() and (stream := archive.extractfile(member)) is not None:
                    yield member.name.removeprefix("./"), stream.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise TheiaError(f"{path}: {name} cannot be unpacked: {error}; fetch the package again") from error


def _data_archive(path: Path) -> tuple[str, bytes]:
    """Name and bytes of the member data.tar.* of a .deb, which is an `ar` archive."""
    with path.open("rb") as stream:
        if stream.read(8) != _AR_MAGIC:
            raise TheiaError(f"{path} is no Debian package; its first line must be !<arch>")
        while header := stream.read(60):
            if len(header) < 60 or header[58:] != b"`\n":
                break
            name, size = header[:16].decode("ascii", "replace").strip().rstrip("/"), int(header[48:58])
            if name.startswith("data.tar"):
                data = stream.read(size)
                if len(data) < size:
                    raise TheiaError(f"{path} ends inside {name}; it is truncated, fetch it again")
                return name, data
            stream.seek(size + size % 2, io.SEEK_CUR)
    raise TheiaError(f"{path} holds no data.tar; it is truncated, fetch it again")
