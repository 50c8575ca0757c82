"""Jumps between executed actions, at seams and elsewhere."""

import pytest

from theia_core.actions.execution import SeamMeter


def measured(*executed):
    meter = SeamMeter(0.2)
    for time_s, x_m, z_rad, prediction in executed:
        meter.executed(time_s, [x_m, 0, 0, 0, 0, z_rad, 1.0], prediction)
    return meter.largest()


def test_the_largest_jump_is_told_apart_by_whether_the_prediction_changed():
    jumps = measured((0, 0.01, 0, 1), (0.2, 0.012, 0.1, 1), (0.4, -0.003, 0.1, 2), (0.6, 0.0, 0.13, 2))
    assert jumps["seam_m"] == pytest.approx(0.015) and jumps["seam_rad"] == pytest.approx(0)
    assert jumps["elsewhere_m"] == pytest.approx(0.003) and jumps["elsewhere_rad"] == pytest.approx(0.1)


def test_where_nothing_is_compared_nothing_is_reported():
    assert set(measured((0, 0.01, 0, 1), (0.6, -0.01, 0, 2)).values()) == {None}
    assert measured((0, 0.0, 0, 1), (0.2, 0.01, 0, 2))["elsewhere_m"] is None
