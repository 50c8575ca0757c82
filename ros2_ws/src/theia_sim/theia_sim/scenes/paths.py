"""Paths of the hand for experts without memory: what comes next is read off from where the hand is."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ahead:
    """A point on a path.

    Attributes:
        position_m: (3,) in base_link.
        pitch_rad: how far down the hand points there.
        waypoint: how many waypoints lie behind, a fraction.
    """

    position_m: np.ndarray
    pitch_rad: float
    waypoint: float


class HandPath:
    """Straight lines from waypoint to waypoint, followed by aiming a little ahead of the nearest point.

    A hand that strays comes back to the path without going back along it. Lines that turn back close to each
    other would be ambiguous.
    """

    def __init__(self, *waypoints: tuple[np.ndarray, float]) -> None:
        """Waypoints in their order: position (3,) in base_link [m] and pitch [rad]."""
        self._points_m = np.array([position for position, _ in waypoints])
        self._pitch_rad = np.array([pitch for _, pitch in waypoints])
        self._lengths_m = np.maximum(np.linalg.norm(np.diff(self._points_m, axis=0), axis=1), 1e-9)
        self._starts_m = np.concatenate([[0.0], np.cumsum(self._lengths_m)])

    def nearest_m(self, position_m: np.ndarray) -> float:
        """How far along the path the point nearest to `position_m` (3,) is."""
        starts, ways = self._points_m[:-1], np.diff(self._points_m, axis=0)
        parts = np.clip(np.sum((position_m - starts) * ways, axis=1) / self._lengths_m**2, 0.0, 1.0)
        distances_m = np.linalg.norm(starts + parts[:, None] * ways - position_m, axis=1)
        line = int(np.argmin(distances_m))
        return float(self._starts_m[line] + parts[line] * self._lengths_m[line])

    def at(self, along_m: float) -> Ahead:
        """The point `along_m` along the path; beyond its end, the end."""
        along_m = float(np.clip(along_m, 0.0, self._starts_m[-1]))
        waypoint = float(np.interp(along_m, self._starts_m, np.arange(len(self._starts_m))))
        position_m = np.array([np.interp(along_m, self._starts_m, axis) for axis in self._points_m.T])
        return Ahead(position_m, float(np.interp(along_m, self._starts_m, self._pitch_rad)), waypoint)
