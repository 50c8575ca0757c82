"""Pictures of wanted start scenes, one for each cell of a protocol: the scene as it stood the first time."""

from pathlib import Path

from theia_core.errors import TheiaError
from theia_core.files import whole_file
from theia_core.tasks.protocol import CellValue


class Ghosts:
    """A folder of pictures, CELL.jpg; an operator may put his own there."""

    def __init__(self, folder: Path) -> None:
        """Use the pictures in `folder`, which is made when the first is kept."""
        self._folder = folder

    def of(self, cell: dict[str, CellValue]) -> bytes | None:
        """The picture of a cell as JPEG, None if there is none."""
        path = self._path(cell)
        return path.read_bytes() if path.is_file() else None

    def keep(self, cell: dict[str, CellValue], jpeg: bytes) -> Path:
        """Keep the picture of a cell, unless it has one; returns where it is.

        Raises:
            TheiaError: if it cannot be written.
        """
        path = self._path(cell)
        if path.is_file():
            return path
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as file:
                file.write(jpeg)
        except OSError as error:
            raise TheiaError(
                f"cannot write {path}: {error.strerror}; choose another folder with ghosts:="
            ) from None
        return path

    def _path(self, cell: dict[str, CellValue]) -> Path:
        name = ",".join(f"{axis}={value}" for axis, value in cell.items()) or "scene"
        return self._folder / f"{name}.jpg"
