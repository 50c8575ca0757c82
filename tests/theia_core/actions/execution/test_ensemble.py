"""Temporal ensembling, recomputed by hand in float64."""

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from theia_core.actions.chunks import ActionChunk
from theia_core.actions.execution import ensemble_weights, ensembled


def chunk(stamp_s, actions):
    return ActionChunk(stamp_s, 0.2, np.asarray(actions, np.float32), stamp_s, 0)


@pytest.mark.parametrize("m", [0.01, 0.1, 1.0, 0.0, -0.5, 10.0])
def test_weights_decay_from_the_oldest_to_the_newest(m):
    ages = [3, 2, 1, 0]  # oldest first
    unnormalised = [math.exp(-m * i) for i in range(4)]
    expected = [weight / sum(unnormalised) for weight in unnormalised]
    np.testing.assert_allclose(ensemble_weights(np.array(ages), m), expected, rtol=1e-12)


def test_every_continuous_dimension_is_averaged_and_the_gripper_is_the_newest(m=0.3):
    rng = np.random.default_rng(0)
    plans = rng.normal(0, 0.02, (3, 5, 7))
    plans[:, :, 6] = [[1, 1, 0.9, 0, 0], [1, 1, 1, 1, 0], [0.2, 0.8, 0, 0, 1]]
    stamps = [0.0, 0.21, 0.39]  # as frames come: 2, 1 and 0 steps old
    actions = ensembled([chunk(s, p) for s, p in zip(stamps, plans, strict=True)], 1, m)
    assert actions.shape == (4, 7)
    np.testing.assert_array_equal(actions[:, 6], plans[2, 1:, 6].astype(np.float32))
    w = [math.exp(-m * i) for i in range(3)]
    both = (w[0] * plans[0, 3] + w[1] * plans[1, 2] + w[2] * plans[2, 1]) / sum(w)
    np.testing.assert_allclose(actions[0, :6], both[:6], rtol=1e-5)
    # Two steps on, the oldest plan is over, and the weights of the others keep their ratio.
    later = (w[0] * plans[1, 4] + w[1] * plans[2, 3]) / (w[0] + w[1])
    np.testing.assert_allclose(actions[2, :6], later[:6], rtol=1e-5)
    np.testing.assert_allclose(actions[3, :6], plans[2, 4, :6], rtol=1e-6)


@pytest.mark.parametrize(("limit_rad", "error_rad"), [(0.25, 0.06), (0.03, 0.001)])
def test_mean_euler_angles_are_close_to_the_mean_rotation(limit_rad, error_rad):
    rng = np.random.default_rng(1)
    for _ in range(200):
        angles = limit_rad * np.sign(rng.normal(size=(2, 3))) * rng.uniform(0.9, 1, (2, 3))
        plans = [[[0, 0, 0, *angle, 1]] for angle in angles]
        mean = ensembled([chunk(0.0, plans[0]), chunk(0.01, plans[1])], 0, 0.0)[0, 3:6]
        exact = Rotation.from_euler("xyz", angles).mean()
        assert (exact.inv() * Rotation.from_euler("xyz", mean)).magnitude() < error_rad
