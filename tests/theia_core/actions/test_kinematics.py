"""Kinematics of the WidowX 250s against its published poses."""

import numpy as np
import pytest

from theia_core.actions.kinematics import ArmKinematics, IKFailure
from theia_core.actions.profile import load_profile
from theia_core.actions.rotations import angle_between_rad

PROFILE = load_profile("wx250s")
KINEMATICS = ArmKinematics(PROFILE)


@pytest.mark.parametrize(
    ("joints", "position_m"),
    [
        (np.zeros(6), (0.458325, 0.0, 0.36065)),  # all zeros, from the Interbotix URDF
        (PROFILE.sleep_rad, (0.123, 0.0, 0.081)),  # Interbotix sleep pose, rounded to a millimetre
        (PROFILE.neutral_rad, (0.120, -0.019, 0.247)),  # BridgeData's neutral pose
    ],
)
def test_forward_kinematics_reaches_the_published_poses(joints, position_m):
    np.testing.assert_allclose(KINEMATICS.fk(joints)[0], position_m, atol=6e-4)


def test_inverse_kinematics_returns_to_the_pose_within_a_millimetre():
    rng = np.random.default_rng(0)
    failures = 0
    for _ in range(100):
        joints = PROFILE.neutral_rad + rng.uniform(-0.4, 0.4, 6)
        position_m, rotation = KINEMATICS.fk(joints)
        try:
            found = KINEMATICS.ik(position_m, rotation, joints + rng.uniform(-0.15, 0.15, 6))
        except IKFailure:
            failures += 1
            continue
        reached_m, reached = KINEMATICS.fk(found)
        assert np.linalg.norm(reached_m - position_m) < 1e-3
        assert angle_between_rad(reached, rotation) < 1e-2
        assert np.all(found >= PROFILE.joint_lower_rad) and np.all(found <= PROFILE.joint_upper_rad)
    assert failures <= 2


def test_unreachable_pose_says_how_far_it_is():
    with pytest.raises(IKFailure, match="mm and"):
        KINEMATICS.ik(np.array([1.0, 0.0, 1.0]), np.eye(3), PROFILE.neutral_rad)
