"""How Spot's base gets from one place to another on the plane: bounded speed and acceleration, no legs."""

import numpy as np

FASTEST = np.array([0.5, 0.5, 0.8])  # m/s forward and sideways, rad/s
_PULL = np.array([1.0, 1.0, 2.0])  # m/s^2, rad/s^2
_BRAKE = 0.8 * _PULL  # what an approach counts on
_THERE = np.array([0.002, 0.002, 0.002])


class BaseDrive:
    """Setpoint (x [m], y [m], yaw [rad]) in the world of the base's servos, moved at 50 Hz.

    Attributes:
        setpoint: (3,) where the base should be now.
        velocity: (3,) in the body's axes [m/s, rad/s].
    """

    def __init__(self) -> None:
        """Rest at the world's origin."""
        self.rest_at(np.zeros(3))

    def rest_at(self, place: np.ndarray) -> None:
        """Stand at `place` (3,) at once."""
        self.setpoint: np.ndarray = np.array(place, dtype=float)
        self.velocity: np.ndarray = np.zeros(3)
        self._target: np.ndarray | None = None
        self._wanted: np.ndarray = np.zeros(3)

    def go_to(self, place: np.ndarray) -> None:
        """Walk to `place` (3,) in the world and stand there."""
        self._target = np.array(place, dtype=float)

    def go_with(self, velocity: np.ndarray) -> None:
        """Walk with a velocity (3,) in the body's axes until told otherwise."""
        self._target, self._wanted = None, np.clip(velocity, -FASTEST, FASTEST)

    def stop(self) -> None:
        """Brake and stand."""
        self._target, self._wanted = None, np.zeros(3)

    @property
    def stands(self) -> bool:
        """Whether the base neither moves nor is about to."""
        return not self.velocity.any() and not self._wanted.any() and self._target is None

    def advance(self, seconds: float) -> None:
        """Move the setpoint by one tick."""
        yaw_rad = self.setpoint[2]
        ahead = np.array([[np.cos(yaw_rad), -np.sin(yaw_rad)], [np.sin(yaw_rad), np.cos(yaw_rad)]])
        if self._target is not None:
            left = self._target - self.setpoint
            left[2] = np.arctan2(np.sin(left[2]), np.cos(left[2]))
            left[:2] = ahead.T @ left[:2]
            if np.all(np.abs(left) < _THERE):
                self.rest_at(self._target)
                return
            speed = np.minimum(np.sqrt(2 * _BRAKE * np.abs(left)), np.abs(left) / (2 * seconds))
            self._wanted = np.sign(left) * np.minimum(speed, FASTEST)
        change = np.clip(self._wanted - self.velocity, -_PULL * seconds, _PULL * seconds)
        self.velocity = self.velocity + change
        self.setpoint[:2] += ahead @ self.velocity[:2] * seconds
        self.setpoint[2] += self.velocity[2] * seconds
