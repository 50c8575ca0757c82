"""Which software on which machine: what a record says about where its numbers come from."""

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@cache
def software() -> str:
    """Version of this library, and the commit where it runs from a repository: "theia 0.1.0, 1a2b3c4"."""
    try:
        name = f"theia {version('theia-robotics')}"
    except PackageNotFoundError:  # built by colcon
        name = "theia"
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return name
    commands = (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
    try:
        commit, changes = (
            subprocess.run(
                ["git", "-C", str(root), *words], capture_output=True, text=True, timeout=10, check=True
            ).stdout.strip()
            for words in commands
        )
    except (OSError, subprocess.SubprocessError):
        return name
    return f"{name}, {commit}{' and changes' if changes else ''}"


@cache
def machine() -> str:
    """Kind of processor and number of cores of this process: "x86_64, 2 cores"."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{platform.machine()}, {cores} cores"
