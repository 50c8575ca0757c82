"""Which kind of source a path is."""

from pathlib import Path

from theia_core.errors import TheiaError
from theia_training.sources.folder import FolderSource
from theia_training.sources.image_source import ImageSource


def open_source(path: str | Path, every: int = 1) -> ImageSource:
    """Open the images at `path`.

    Args:
        path: a folder of images (recursive), a WebDataset `.tar` or a folder of them, an episode (`.mcap`) or a
            folder of them.
        every: of episodes, take every n-th camera frame.

    Raises:
        TheiaError: if there is nothing at `path`, it holds no images, or more than one kind.
    """
    root = Path(path)
    if every < 1:
        raise TheiaError(f"every is {every}; take every 1st, 2nd, 3rd ... frame")
    if not root.exists():
        raise TheiaError(f"there is no {root}; give a folder of images, a .tar or episodes (.mcap)")
    return FolderSource(root)
