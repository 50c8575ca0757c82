"""Dynamixel's time-based motion profile: the path that a motor's own controller makes of a goal.

In time-based profiles the register Profile_Velocity is the whole time of a move and Profile_Acceleration the
time of its acceleration, which is also that of its braking (ROBOTIS
e-Manual, X series, registers 108 and 112).
"""

import numpy as np

PROFILE_TIME, PROFILE_ACCELERATION = "Profile_Velocity", "Profile_Acceleration"
MS_PER_S = 1000.0


class MotionProfiles:
    """One trapezoid of velocity for each of n motors.

    A new goal starts a new profile where the present one is, at the speed that it has there, so that a stream
    of goals gives a smooth motion.
    """

    def __init__(self, positions_rad: np.ndarray) -> None:
        """Rest at `positions_rad` (n,)."""
        count = len(positions_rad)
        self._start_rad = np.array(positions_rad, dtype=float)
        self._goal_rad = self._start_rad.copy()
        self._start_rad_s, self._cruise_rad_s = np.zeros(count), np.zeros(count)
        self._begun_s, self._total_s, self._ramp_s = np.zeros(count), np.zeros(count), np.zeros(count)

    @property
    def goals_rad(self) -> np.ndarray:
        """Where the motors are going, (n,) [rad]."""
        return self._goal_rad.copy()

    def rest(self, motor: int, position_rad: float) -> None:
        """Forget the motor's profile: it is at `position_rad`, which is its goal as well."""
        self._start_rad[motor] = self._goal_rad[motor] = position_rad
        for values in (self._start_rad_s, self._cruise_rad_s, self._begun_s, self._total_s, self._ramp_s):
            values[motor] = 0.0

    def go(self, motor: int, goal_rad: float, now_s: float, total_ms: int, ramp_ms: int) -> None:
        """Begin a move.

        Args:
            motor: its index.
            goal_rad: where to.
            now_s: present time.
            total_ms: time of the whole move; 0 jumps.
            ramp_ms: time of acceleration and of braking, at most half of `total_ms`; 0 starts at full speed.
        """
        start_rad, start_rad_s = (values[motor] for values in self._state(now_s))
        total_s = total_ms / MS_PER_S
        ramp_s = min(ramp_ms / MS_PER_S, total_s / 2)
        # Distance = (start + cruise) / 2 * ramp + cruise * (total - 2 ramp) + cruise / 2 * ramp.
        cruise_rad_s = 0.0
        if total_s > 0:
            cruise_rad_s = (goal_rad - start_rad - start_rad_s * ramp_s / 2) / (total_s - ramp_s)
        self._start_rad[motor], self._goal_rad[motor] = start_rad, goal_rad
        self._start_rad_s[motor], self._cruise_rad_s[motor] = start_rad_s, cruise_rad_s
        self._begun_s[motor], self._total_s[motor], self._ramp_s[motor] = now_s, total_s, ramp_s

    def positions_rad(self, now_s: float) -> np.ndarray:
        """Where the profiles are at `now_s`, (n,) [rad]."""
        return self._state(now_s)[0]

    def _state(self, now_s: float) -> tuple[np.ndarray, np.ndarray]:
        """Positions (n,) [rad] and velocities (n,) [rad/s]."""
        passed_s = np.clip(now_s - self._begun_s, 0.0, None)
        left_s = self._total_s - passed_s
        ramp_s = np.where(self._ramp_s > 0, self._ramp_s, 1.0)
        start, cruise = self._start_rad_s, self._cruise_rad_s
        gained = (cruise - start) / ramp_s
        phases = [left_s <= 0, passed_s < self._ramp_s, left_s <= self._ramp_s]
        position = np.select(
            phases,
            [
                self._goal_rad,
                self._start_rad + (start + gained * passed_s / 2) * passed_s,
                self._goal_rad - cruise / ramp_s * left_s**2 / 2,
            ],
            self._start_rad + (start + cruise) / 2 * self._ramp_s + cruise * (passed_s - self._ramp_s),
        )
        velocity = np.select(
            phases, [np.zeros_like(start), start + gained * passed_s, cruise * left_s / ramp_s], cruise
        )
        return position, velocity
