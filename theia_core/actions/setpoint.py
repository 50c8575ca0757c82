"""The arm's setpoint: integrated from actions, interpolated in joint space, never re-read from the arm."""

import numpy as np

from theia_core.actions.kinematics import ArmKinematics


class Setpoint:
    """Commanded joints and the end-effector pose that the last accepted action leads to.

    Attributes:
        joints_rad: (6,) joints commanded now.
        position_m: (3,) end-effector position of the goal, in base_link.
        rotation: (3, 3) end-effector orientation of the goal, in base_link.
    """

    def __init__(self, kinematics: ArmKinematics, joints_rad: np.ndarray) -> None:
        """Rest at `joints_rad` (6,)."""
        self._kinematics = kinematics
        self.joints_rad: np.ndarray = joints_rad.copy()
        self._from_s, self._duration_s = 0.0, 1.0
        self.stop()

    def move_to(
        self,
        now_s: float,
        goal_rad: np.ndarray,
        duration_s: float,
        pose: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        """Interpolate to `goal_rad` (6,) within `duration_s`; `pose` is the goal's pose where it is known."""
        self._start_rad, self._goal_rad = self.joints_rad, goal_rad
        self._from_s, self._duration_s = now_s, duration_s
        self.position_m, self.rotation = pose or self._kinematics.fk(goal_rad)

    def stop(self) -> None:
        """Give the goal up and rest at the joints commanded last."""
        self._start_rad = self._goal_rad = self.joints_rad
        self.position_m, self.rotation = self._kinematics.fk(self.joints_rad)

    def advance(self, now_s: float) -> None:
        """Bring `joints_rad` to where the interpolation is at `now_s`."""
        part = min((now_s - self._from_s) / self._duration_s, 1.0)
        self.joints_rad = self._start_rad + part * (self._goal_rad - self._start_rad)

    @property
    def reached(self) -> bool:
        """Whether the goal is commanded in full."""
        return bool(np.array_equal(self.joints_rad, self._goal_rad))
