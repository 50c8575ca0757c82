"""Which software this is: what recordings, runs and reports name as their maker."""

import subprocess
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


@lru_cache(maxsize=1)
def software() -> dict[str, str]:
    """Version of this package and, from a git checkout, its commit ("-changed" if files differ from it)."""
    try:
        found = {"theia": version("theia-robotics")}
    except PackageNotFoundError:
        found = {"theia": "uninstalled"}
    if (_ROOT / ".git").exists():
        try:
            found["commit"] = _git("rev-parse", "HEAD")[:12]
            if _git("status", "--porcelain", "--untracked-files=no"):
                found["commit"] += "-changed"
        except (OSError, subprocess.SubprocessError):
            pass
    return found


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(_ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
