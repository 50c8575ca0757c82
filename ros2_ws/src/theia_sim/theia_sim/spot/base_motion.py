"""How the simulated robot executes commands of its base: on the plane, and never beyond an end time."""

import numpy as np

from theia_core.actions.poses import Pose
from theia_sim.spot.arm_motion import Progress
from theia_sim.spot.body import SpotBody

_STAND_S = 0.5


class Walk:
    """Goes to a place on the floor and stops at `end_s`, by the robot's clock, wherever it is."""

    def __init__(self, goal: Pose, frame: str, end_s: float, body: SpotBody) -> None:
        """Begin to walk to a pose in a frame."""
        self._end_s, self.progress = end_s, Progress.MOVING
        body.set_base_target(goal, frame)

    def advance(self, now_s: float, seconds: float, body: SpotBody, *, blocked: bool) -> None:
        """Look whether it has arrived, or time is up."""
        if self.progress is not Progress.MOVING:
            return
        if body.base_stands():
            self.progress = Progress.DONE
        elif now_s >= self._end_s:
            self.progress = Progress.CANCELLED
            body.stop_base()


class Drive:
    """Walks with a velocity until `end_s` by the robot's clock."""

    def __init__(self, velocity: np.ndarray, end_s: float, body: SpotBody) -> None:
        """Begin with a velocity (3,) in the body's axes."""
        self._end_s, self.progress = end_s, Progress.MOVING
        body.set_base_velocity(*velocity)

    def advance(self, now_s: float, seconds: float, body: SpotBody, *, blocked: bool) -> None:
        """Look whether time is up."""
        if self.progress is Progress.MOVING and now_s >= self._end_s:
            self.progress = Progress.DONE
            body.stop_base()


class Posture:
    """Stands up or sits down; legs are not simulated, so that only time passes."""

    def __init__(self, standing: bool, start_s: float) -> None:
        """Begin at a time of the robot's clock."""
        self.standing, self._done_s = standing, start_s + _STAND_S
        self.progress = Progress.MOVING

    def advance(self, now_s: float, seconds: float, body: SpotBody, *, blocked: bool) -> None:
        """Let a tick pass."""
        if self.progress is Progress.MOVING and now_s >= self._done_s:
            self.progress = Progress.DONE
