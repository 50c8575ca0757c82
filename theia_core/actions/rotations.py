"""The one place for rotations: scipy's `Rotation` behind the three conventions that this project meets."""

import numpy as np
from scipy.spatial.transform import Rotation


def matrix_from_euler(euler_rad: np.ndarray) -> np.ndarray:
    """Rotation matrix of Euler angles about the fixed base axes.

    Args:
        euler_rad: (..., 3) angles about base x, then y, then z [rad]: R = Rz Ry Rx, as in BridgeData.

    Returns:
        (..., 3, 3) float64 rotation matrices.
    """
    return Rotation.from_euler("xyz", euler_rad).as_matrix()


def euler_from_matrix(rotation: np.ndarray) -> np.ndarray:
    """Inverse of `matrix_from_euler`: (..., 3, 3) -> (..., 3) angles about base x, y, z [rad]."""
    return Rotation.from_matrix(rotation).as_euler("xyz")


def rotation_6d_from_matrix(rotation: np.ndarray) -> np.ndarray:
    """First two columns of (..., 3, 3) matrices as (..., 6), the continuous form that policies regress."""
    return np.concatenate([rotation[..., :, 0], rotation[..., :, 1]], axis=-1)


def matrix_from_rotation_6d(rotation_6d: np.ndarray) -> np.ndarray:
    """Gram-Schmidt inverse of `rotation_6d_from_matrix`: (..., 6) -> (..., 3, 3)."""
    first, second = rotation_6d[..., :3], rotation_6d[..., 3:]
    x = first / np.linalg.norm(first, axis=-1, keepdims=True)
    y = second - np.sum(x * second, axis=-1, keepdims=True) * x
    y = y / np.linalg.norm(y, axis=-1, keepdims=True)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def angle_between_rad(first: np.ndarray, second: np.ndarray) -> float:
    """Angle of the rotation that takes the (3, 3) matrix `first` to `second` [rad]."""
    return float(Rotation.from_matrix(first.T @ second).magnitude())
