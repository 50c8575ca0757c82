"""Rotation conventions."""

import numpy as np
from scipy.spatial.transform import Rotation

from theia_core.actions.rotations import (
    euler_from_matrix,
    matrix_from_euler,
    matrix_from_rotation_6d,
    rotation_6d_from_matrix,
)


def test_euler_angles_turn_about_the_fixed_base_axes_x_first():
    a, b, c = 0.3, -0.2, 0.5
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    np.testing.assert_allclose(matrix_from_euler(np.array([a, b, c])), rz @ ry @ rx, atol=1e-12)
    np.testing.assert_allclose(euler_from_matrix(rz @ ry @ rx), [a, b, c], atol=1e-12)


def test_six_numbers_give_the_matrix_back_even_after_scaling():
    matrices = Rotation.random(20, random_state=0).as_matrix()
    np.testing.assert_allclose(
        matrix_from_rotation_6d(2.5 * rotation_6d_from_matrix(matrices)), matrices, atol=1e-12
    )
