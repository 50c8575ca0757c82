"""Rigid poses: where one frame is, seen from another."""

from dataclasses import dataclass, field

import numpy as np

from theia_core.actions.rotations import angle_between_rad, matrix_from_euler


@dataclass(frozen=True)
class Pose:
    """Pose of a frame b in a frame a, `a_tform_b` in Boston Dynamics' words: p_a = position + rotation p_b.

    Attributes:
        position_m: (3,) origin of b in a.
        rotation: (3, 3) axes of b in a, as columns.
    """

    position_m: np.ndarray = field(default_factory=lambda: np.zeros(3))
    rotation: np.ndarray = field(default_factory=lambda: np.eye(3))

    @classmethod
    def on_plane(cls, x_m: float, y_m: float, yaw_rad: float) -> "Pose":
        """A pose on the plane z = 0, turned about z by `yaw_rad`."""
        return cls(np.array([x_m, y_m, 0.0]), matrix_from_euler(np.array([0.0, 0.0, yaw_rad])))

    def __matmul__(self, other: "Pose") -> "Pose":
        """a_tform_b @ b_tform_c = a_tform_c."""
        return Pose(self.at(other.position_m), self.rotation @ other.rotation)

    def at(self, point_m: np.ndarray) -> np.ndarray:
        """The point (3,) of frame b, in frame a."""
        return self.position_m + self.rotation @ point_m

    def inverse(self) -> "Pose":
        """b_tform_a."""
        return Pose(-self.rotation.T @ self.position_m, self.rotation.T)

    @property
    def yaw_rad(self) -> float:
        """Direction of the x axis in the plane of a's x and y [rad]."""
        return float(np.arctan2(self.rotation[1, 0], self.rotation[0, 0]))

    def distance_to(self, other: "Pose") -> tuple[float, float]:
        """Distance [m] and angle [rad] between two poses in one frame."""
        apart_m = float(np.linalg.norm(other.position_m - self.position_m))
        return apart_m, angle_between_rad(self.rotation, other.rotation)
