"""Labelled points with intervals on two axes, as inline SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from theia_core.analysis.page.chart import COLOURS, HEIGHT, LEGEND_LINE, WIDTH, axes, x_place, y_place


@dataclass(frozen=True)
class Point:
    """A point with its label, and the ends of the interval of y; y and its ends are shares from 0 to 1."""

    label: str
    x: float
    y: float
    low: float
    high: float


def scatter_chart(points: Sequence[Point], title: str, x_label: str, y_label: str) -> str:
    """Points with their intervals as upright lines, and a legend below.

    Args:
        points: at least one.
        title: said to screen readers and shown as the figure's caption.
        x_label: what lies along x, with its unit.
        y_label: what lies along y, from 0 to 1.
    """
    values = [point.x for point in points]
    room = 0.08 * (max(values) - min(values)) or 0.1
    x_range, y_range = (min(values) - room, max(values) + room), (0.0, 1.0)
    parts = [axes(x_range, y_range, x_label, y_label)]
    for index, point in enumerate(points):
        colour, x = COLOURS[index % len(COLOURS)], x_place(point.x, x_range)
        low, middle, high = (y_place(y, y_range) for y in (point.low, point.y, point.high))
        stroke = f'stroke="{colour}" stroke-width="2"'
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}" {stroke}/>')
        parts.append(f'<circle cx="{x:.1f}" cy="{middle:.1f}" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{x + 8:.1f}" y="{middle + 4:.1f}">{index + 1}</text>')
        level = HEIGHT + LEGEND_LINE * index
        parts.append(f'<circle cx="60" cy="{level}" r="5" fill="{colour}"/>')
        parts.append(f'<text x="72" y="{level + 4}">{index + 1}: {escape(point.label)}</text>')
    height = HEIGHT + LEGEND_LINE * len(points)
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        + "".join(parts)
        + f"</svg><figcaption>{escape(title)}</figcaption></figure>"
    )
