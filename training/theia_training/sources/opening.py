"""Which kind of source a path is."""

from collections import defaultdict
from pathlib import Path

from theia_core.errors import TheiaError
from theia_training.sources.bags import BagSource
from theia_training.sources.folder import FolderSource
from theia_training.sources.image_source import ImageSource
from theia_training.sources.listing import files_below
from theia_training.sources.pixels import IMAGE_SUFFIXES
from theia_training.sources.webdataset import WebDatasetSource

_KIND = {".tar": "WebDataset shards (.tar)", ".mcap": "episodes (.mcap)"} | dict.fromkeys(
    IMAGE_SUFFIXES, "images"
)


def open_source(path: str | Path, every: int = 1, *, images_too: bool = False) -> ImageSource:
    """Open the images at `path`.

    Args:
        path: a folder of images (recursive), a WebDataset `.tar` or a folder of them, an episode (`.mcap`) or
            a folder of them. Hidden files and folders are left out.
        every: of episodes, take every n-th camera frame.
        images_too: of folders of images, take every n-th by name; shards are always taken whole.

    Raises:
        TheiaError: if there is nothing at `path`, it holds no images or more than one kind, or what it holds
            is damaged.
    """
    root = Path(path)
    if every < 1:
        raise TheiaError(f"every is {every}; take every 1st, 2nd, 3rd ... image")
    if not root.exists():
        raise TheiaError(f"there is no {root}; give a folder of images, a .tar or episodes (.mcap)")
    found: dict[str, list[Path]] = defaultdict(list)
    for file in files_below(root) if root.is_dir() else [root]:
        if kind := _KIND.get(file.suffix.lower()):
            found[kind].append(file)
    if not found:
        known = ", ".join((*IMAGE_SUFFIXES, ".tar", ".mcap"))
        raise TheiaError(f"{root} holds no images that can be read; known are {known}")
    if len(found) > 1:
        counts = " and ".join(f"{len(files)} {kind}" for kind, files in found.items())
        raise TheiaError(f"{root} holds {counts}; give folders that hold one kind each")
    ((kind, files),) = found.items()
    if kind == _KIND[".tar"]:
        return WebDatasetSource(root, files)
    if kind == _KIND[".mcap"]:
        return BagSource(root, files, every)
    return FolderSource(root if root.is_dir() else root.parent, files, every if images_too else 1)
