"""How the recorded scenes are spread over the ranges that a task's demonstrations should cover."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from theia_core.episodes.reader import load_episode
from theia_core.errors import TheiaError
from theia_core.tasks import TASKS
from theia_core.tasks.task import TrainingArea, TrainingChoice, TrainingRange

_BINS = 6


def coverage(paths: Sequence[Path]) -> list[str]:
    """Text on each scene parameter of each task: a histogram over its training range, or a count of choices.

    Unreadable episodes and those without a recorded scene are left out.
    """
    scenes: dict[str, list[dict[str, Any]]] = {}
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
            values = [scene[name] for scene in task_scenes if name in scene]
            if isinstance(wanted, TrainingRange):
                lines.append(_histogram(name, values, wanted.low, wanted.high))
            elif isinstance(wanted, TrainingChoice):
                counts = Counter(values)
                shown = ", ".join(f"{value} {counts[value]}" for value in wanted.values)
                lines.append(f"coverage of {name}: {shown}")
            elif isinstance(wanted, TrainingArea):
                places_m = [wanted.place_m(value) for value in values]
                for axis, low_m, high_m in zip("xy", wanted.low_m, wanted.high_m, strict=True):
                    along_m = [place_m["xy".index(axis)] for place_m in places_m]
                    lines.append(_histogram(f"{name} along {axis}", along_m, low_m, high_m))
    return lines


def _histogram(name: str, values: Sequence[float], low: float, high: float) -> str:
    counts, _ = np.histogram(np.asarray(values), bins=_BINS, range=(low, high))
    return f"coverage of {name} from {low:g} to {high:g}, in {_BINS} bins: {' '.join(map(str, counts))}"
