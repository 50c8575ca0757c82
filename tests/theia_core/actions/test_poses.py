import numpy as np
import pytest

from theia_core.actions.poses import Pose
from theia_core.actions.rotations import matrix_from_euler

A_TFORM_B = Pose(np.array([1.0, 2.0, 3.0]), matrix_from_euler(np.array([0.1, -0.4, 0.9])))
B_TFORM_C = Pose(np.array([-0.3, 0.2, 0.5]), matrix_from_euler(np.array([0.7, 0.2, -0.3])))


def test_a_chain_of_frames_takes_a_point_along():
    point = np.array([0.4, -0.1, 0.2])
    np.testing.assert_allclose((A_TFORM_B @ B_TFORM_C).at(point), A_TFORM_B.at(B_TFORM_C.at(point)))


def test_the_inverse_undoes_a_pose():
    assert (A_TFORM_B.inverse() @ A_TFORM_B).distance_to(Pose()) == pytest.approx((0, 0), abs=1e-7)


def test_a_pose_on_the_plane_has_its_yaw():
    pose = Pose.on_plane(0.5, -1.0, 0.3)
    assert pose.yaw_rad == pytest.approx(0.3)
    np.testing.assert_allclose(pose.at(np.array([1.0, 0, 0])), [0.5 + np.cos(0.3), -1.0 + np.sin(0.3), 0.0])
