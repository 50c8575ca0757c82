"""How the recorded scenes are spread over the ranges that a task's demonstrations should cover."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from theia_core.episodes.reader import load_episode
from theia_core.errors import TheiaError
from theia_core.tasks import TASKS

_BINS = 6


def coverage(paths: Sequence[Path]) -> list[str]:
    """One line of text for each scene parameter of each task; a histogram over the task's training range.

    Unreadable episodes and those without a recorded scene are left out.
    """
    scenes: dict[str, list[dict[str, float]]] = {}
    for path in paths:
        try:
            metadata = load_episode(path).metadata
        except TheiaError:
            continue
        scene = metadata.get("randomisation")
        scene = json.loads(scene) if isinstance(scene, str) else scene
        if isinstance(scene, dict) and metadata.get("task") in TASKS:
            scenes.setdefault(metadata["task"], []).append(scene)
    lines = []
    for task_id, task_scenes in scenes.items():
        for name, wanted in TASKS[task_id].training.items():
            values = np.array([scene[name] for scene in task_scenes if name in scene])
            counts, _ = np.histogram(values, bins=_BINS, range=(wanted.low, wanted.high))
            spread = " ".join(str(count) for count in counts)
            lines.append(
                f"coverage of {name} from {wanted.low:g} to {wanted.high:g}, in {_BINS} bins: {spread}"
            )
    return lines
