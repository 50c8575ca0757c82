import numpy as np
import pytest

from theia_sim.scenes.paths import HandPath


def path():
    """One metre along x, then one up, the hand turning from level to straight down on the way up."""
    corners = (np.array([0.0, 0, 0]), np.array([1.0, 0, 0]), np.array([1.0, 0, 1]))
    return HandPath((corners[0], 0.0), (corners[1], 0.0), (corners[2], 1.5))


@pytest.mark.parametrize(
    ("position_m", "along_m"),
    [((-0.5, 0, 0), 0.0), ((0.3, 0.2, 0), 0.3), ((1.1, 0, 0.25), 1.25), ((1.0, 0, 9.0), 2.0)],
)
def test_progress_is_that_of_the_nearest_point(position_m, along_m):
    assert path().nearest_m(np.array(position_m)) == pytest.approx(along_m)


def test_what_lies_ahead_is_interpolated_between_waypoints():
    ahead = path().at(1.5)
    np.testing.assert_allclose(ahead.position_m, (1.0, 0.0, 0.5))
    assert (ahead.pitch_rad, ahead.waypoint) == pytest.approx((0.75, 1.5))


@pytest.mark.parametrize(("along_m", "x_m", "z_m"), [(-1.0, 0.0, 0.0), (7.0, 1.0, 1.0)])
def test_the_path_ends_where_it_ends(along_m, x_m, z_m):
    np.testing.assert_allclose(path().at(along_m).position_m, (x_m, 0.0, z_m))


def test_the_aim_moves_smoothly_with_the_hand():
    aims = [
        path().at(path().nearest_m(np.array([x, 0.02, -0.01])) + 0.05).position_m
        for x in np.arange(0.5, 1.0, 0.005)
    ]
    assert np.max(np.linalg.norm(np.diff(aims, axis=0), axis=1)) < 0.01
