"""What every export writes: the control steps of episodes, the same that our own training reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from theia_core.actions.hand_state import STATE_NAMES
from theia_core.actions.spaces import ACTION_SPACES, EE_DELTA
from theia_core.episodes.reader import find_episodes, load_episode
from theia_core.episodes.resample import ControlSteps, resample
from theia_core.episodes.topics import OBSERVED_JOINTS
from theia_core.errors import TheiaError
from theia_core.tasks import TASKS

Size = tuple[int, int]  # width, height


@dataclass(frozen=True)
class ExportedEpisode:
    """One episode to write.

    Attributes:
        path: its file.
        metadata: its labels.
        steps: its control steps.
    """

    path: Path
    metadata: dict[str, Any]
    steps: ControlSteps

    @property
    def instruction(self) -> str:
        """The task in one sentence."""
        task = str(self.metadata.get("task", ""))
        return TASKS[task].instruction if task in TASKS else task or "unknown task"

    def frames(self, size: Size | None) -> Iterator[np.ndarray]:
        """Frames (H, W, 3) uint8 RGB, resized to (width, height) unless None."""
        for rgb in self.steps.images:
            other = size is not None and rgb.shape[1::-1] != size
            yield cv2.resize(rgb, size, interpolation=cv2.INTER_AREA) if other else rgb


def chosen(folders: Sequence[Path], failures: bool) -> list[Path]:
    """Episodes to export: those labelled as failures only if asked for.

    Raises:
        TheiaError: if none is left.
    """
    paths = [path for folder in folders for path in ([folder] if folder.is_file() else find_episodes(folder))]
    if not failures:
        paths = [path for path in paths if load_episode(path).metadata.get("success", True)]
    if not paths:
        raise TheiaError(f"no episodes to export in {', '.join(map(str, folders))}")
    return paths


def read(path: Path, rate_hz: float) -> ExportedEpisode:
    """Read and align one episode at the control rate."""
    episode = load_episode(path)
    return ExportedEpisode(path, episode.metadata, resample(episode, rate_hz))


def state_names(dim: int) -> list[str]:
    """Names of the `dim` values of `ControlSteps.joints`."""
    return list(STATE_NAMES if dim == len(STATE_NAMES) else OBSERVED_JOINTS)


def action_names(dim: int) -> list[str]:
    """Names of an action's values."""
    known = {space.dim: space for space in ACTION_SPACES.values()}
    return list(known.get(dim, EE_DELTA).labels) if dim in known else [f"action_{i}" for i in range(dim)]
