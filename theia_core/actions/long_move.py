"""Slow moves in joint space to a pose of the robot profile: where they go and by which way."""

from collections.abc import Callable, Iterator

import numpy as np

from theia_core.actions.profile import RobotProfile
from theia_core.actions.setpoint import Setpoint

_DIRECT_RAD = 0.5  # from nearer than this to the sleep pose the arm does not pass the neutral one
_SAMPLE_RAD = 0.05


class LongMove:
    """The goals (6,) of one slow move, one after the other."""

    def __init__(self, where: str, from_rad: np.ndarray, goals_rad: list[np.ndarray]) -> None:
        """Go from `from_rad` (6,) through `goals_rad`; `where` names the last one."""
        self.where = where
        self._from_rad, self._goals_rad = from_rad, goals_rad

    @classmethod
    def home(cls, profile: RobotProfile, from_rad: np.ndarray) -> "LongMove":
        """To the neutral pose."""
        return cls("the neutral pose", from_rad, [profile.neutral_rad])

    @classmethod
    def sleep(cls, profile: RobotProfile, from_rad: np.ndarray) -> "LongMove":
        """To the sleep pose; from afar by way of the neutral pose, from which the way down is known."""
        near = np.max(np.abs(profile.sleep_rad - from_rad)) < _DIRECT_RAD
        goals_rad = [profile.sleep_rad] if near else [profile.neutral_rad, profile.sleep_rad]
        return cls("the sleep pose", from_rad, goals_rad)

    @property
    def under_way(self) -> str:
        """What the arm is doing."""
        return f"moving to {self.where}"

    @property
    def way(self) -> Iterator[np.ndarray]:
        """Joints (6,) along the whole move that has not begun, its first and last included."""
        joints_rad = self._from_rad
        yield joints_rad
        for goal_rad in self._goals_rad:
            parts = int(np.ceil(np.max(np.abs(goal_rad - joints_rad)) / _SAMPLE_RAD)) + 1
            for part in np.linspace(0.0, 1.0, parts)[1:]:
                yield joints_rad + part * (goal_rad - joints_rad)
            joints_rad = goal_rad

    def go_on(self, now_s: float, setpoint: Setpoint) -> bool:
        """Send a `setpoint` at rest to the goal that comes next; False after the last."""
        if self._goals_rad:
            setpoint.ramp_to(now_s, self._goals_rad.pop(0))
            return True
        return False


MoveKind = Callable[[RobotProfile, np.ndarray], LongMove]
"""`LongMove.home` or `LongMove.sleep`."""
