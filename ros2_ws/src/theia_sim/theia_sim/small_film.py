"""A small film of a trial, for reports."""

from pathlib import Path

import cv2
import numpy as np

from theia_core.video import VideoWriter
from theia_sim.rollout import Observation

_WIDTH, _HEIGHT = 320, 240


class SmallFilm:
    """Writes what the policy's camera saw at each control step, 320 x 240."""

    def __init__(self, path: str, rate_hz: float) -> None:
        """Begin the film at `path`, to be played at `rate_hz` frames per second."""
        self._writer = VideoWriter(Path(path), rate_hz, quality=28)

    def on_step(self, observation: Observation, _action: np.ndarray) -> None:
        """Take a step of `theia_sim.rollout.rollout`."""
        assert observation.image is not None
        self._writer.write(cv2.resize(observation.image, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA))

    def close(self) -> str:
        """Finish, and return the path."""
        return str(self._writer.close())
