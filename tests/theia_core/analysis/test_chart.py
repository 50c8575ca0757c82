"""Charts put points where their values are."""

import re

import numpy as np
import pytest

from theia_core.analysis.page.chart import HEIGHT, WIDTH, Series, line_chart
from theia_core.analysis.page.interval_chart import Interval, interval_chart
from theia_core.analysis.page.scatter_chart import Point, scatter_chart


def points(svg):
    return [
        np.array([[float(v) for v in pair.split(",")] for pair in text.split()])
        for text in re.findall(r'polyline points="([^"]+)"', svg)
    ]


def test_lines_span_the_axes_and_stay_inside():
    x = np.linspace(0, 100, 11)
    lines = [Series("up", x, x), Series("down", x, 100 - x), Series("over", x, 3 * x)]
    up, down, over = points(line_chart(lines, "t", "x", "y", (0, 100), (0, 100)))
    np.testing.assert_allclose(up[:, 1], down[::-1, 1], atol=0.11)
    assert up[0, 0] == down[0, 0] < up[-1, 0] < WIDTH
    assert up[0, 1] > up[-1, 1] > 0
    assert over[:, 1].min() == up[-1, 1]
    assert up[:, 1].max() < HEIGHT


def test_ticks_are_round_numbers_from_end_to_end():
    svg = line_chart([Series("a", np.array([0, 1]), np.array([0, 1]))], "t", "x", "y", (-1, 1), (0, 0.05))
    labels = re.findall(r">(-?[\d.]+)</text>", svg)
    assert labels[:6] == ["0", "0.01", "0.02", "0.03", "0.04", "0.05"]
    assert labels[6:] == ["-1", "-0.5", "0", "0.5", "1"]


def test_an_interval_is_drawn_around_its_mean():
    svg = interval_chart([Interval("<a>", 0.5, 0.4, 0.7)], "t", 0.25, "chance")
    low, high = re.search(r'x1="([\d.]+)" x2="([\d.]+)" y1="\d+" y2="\d+" stroke="#0072b2"', svg).groups()
    centre = float(re.search(r'cx="([\d.]+)"', svg).group(1))
    assert (float(high) - centre) / (centre - float(low)) == pytest.approx(2, abs=0.02)
    assert "&lt;a&gt;" in svg


def test_points_in_one_place_are_drawn_side_by_side_and_others_where_they_belong():
    points = [Point(label, x, 0.5, 0.4, 0.6) for label, x in (("a", 0.0), ("b", 2.0), ("c", 0.0), ("d", 4.0))]
    svg = scatter_chart(points, "t", "x", "y")
    a, b, c, d = (float(x) for x in re.findall(r'<circle cx="([\d.]+)" cy="[\d.]+" r="5"', svg)[::2])
    assert "side by side" in svg and "side by side" not in scatter_chart(points[1:], "t", "x", "y")
    assert c - a == pytest.approx(14.0) and b == pytest.approx(((a + c) / 2 + d) / 2, abs=0.1)
