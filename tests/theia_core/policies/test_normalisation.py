"""Scales of inputs and actions: exact statistics, floors, and a gripper that keeps its place."""

import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_core.policies.normalisation import (
    EE_DELTA_STD_FLOOR,
    EE_POSE_RANGE_FLOOR,
    action_scale,
    range_of,
    scale_of,
)

RNG = np.random.default_rng(0)


def test_statistics_over_many_arrays_equal_those_of_the_whole():
    whole = RNG.normal(3, 2, (500, 4, 6))
    scale = scale_of(np.split(whole, [100, 350]), 1e-6)
    np.testing.assert_allclose(scale.mean, whole.reshape(-1, 6).mean(0), rtol=1e-6)
    np.testing.assert_allclose(scale.std, whole.reshape(-1, 6).std(0), rtol=1e-6)


def test_an_action_that_never_changes_gets_the_floor_instead_of_amplified_noise():
    actions = RNG.normal(0, 1e-6, (100, 7))
    actions[:, 0] = RNG.normal(0, 0.01, 100)
    scale = action_scale([actions])
    assert scale.std[0] == pytest.approx(0.01, rel=0.2)
    np.testing.assert_array_equal(scale.std[1:6], EE_DELTA_STD_FLOOR[1:6])


def test_the_gripper_maps_to_plus_and_minus_one_however_rarely_it_closes():
    actions = np.zeros((1000, 7))
    actions[:3, 6] = 1
    scale = action_scale([actions])
    assert ((np.array([0, 1]) - scale.mean[6]) / scale.std[6]).tolist() == [-1, 1]


def test_no_data_and_data_that_is_not_finite_are_refused():
    with pytest.raises(TheiaError, match="no data"):
        scale_of([], 1.0)
    with pytest.raises(TheiaError, match="finite"):
        scale_of([np.full((3, 2), np.nan)], 1.0)
    with pytest.raises(TheiaError, match="no data"):
        range_of([np.zeros((0, 3))], 1.0)
    with pytest.raises(TheiaError, match="'joints' has no normalisation"):
        action_scale([np.zeros((3, 10))], "joints")


def test_absolute_poses_lie_within_their_range_and_come_back_from_it():
    poses = RNG.uniform(-1, 1, (200, 10)) * ([0.3] * 3 + [0.5] * 6 + [0.4]) + 0.5
    poses[:, 4] = 0.7
    scale = action_scale([poses[:50], poses[50:]], "ee_pose")
    normalised = (poses.astype(np.float32) - scale.mean) / scale.std
    assert np.abs(normalised[:, :9]).max() == pytest.approx(1 / 1.05, abs=1e-3)
    assert scale.std[4] == EE_POSE_RANGE_FLOOR[4] and scale.mean[4] == np.float32(0.7)
    assert ((np.array([0, 1]) - scale.mean[9]) / scale.std[9]).tolist() == [-1, 1]
    np.testing.assert_allclose(normalised * scale.std + scale.mean, poses, atol=1e-6)
