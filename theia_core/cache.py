"""Where things lie that this machine can make again."""

import os
from pathlib import Path

VARIABLE = "THEIA_CACHE"


def cache_folder(*parts: str) -> Path:
    """A folder, or file, below $THEIA_CACHE, or below ~/.cache/theia where that is not set; not created."""
    root = os.environ.get(VARIABLE)
    return (Path(root) if root else Path.home() / ".cache" / "theia").joinpath(*parts)
