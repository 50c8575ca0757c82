"""Labelled points with intervals on two axes, as inline SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from theia_core.analysis.page.chart import COLOURS, HEIGHT, LEGEND_LINE, WIDTH, axes, x_place, y_place

_APART = 14.0


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

    Points that would cover each other's number are drawn side by side, around the mean of where they belong.

    Args:
        points: at least one.
        title: said to screen readers and shown as the figure's caption.
        x_label: what lies along x, with its unit.
        y_label: what lies along y, from 0 to 1.
    """
    values = [point.x for point in points]
    room = 0.12 * (max(values) - min(values)) or 0.1
    x_range, y_range = (min(values) - room, max(values) + room), (0.0, 1.0)
    parts = [axes(x_range, y_range, x_label, y_label)]
    places = [x_place(x, x_range) for x in values]
    drawn = _apart(places)
    for index, (point, x) in enumerate(zip(points, drawn, strict=True)):
        colour = COLOURS[index % len(COLOURS)]
        low, middle, high = (y_place(y, y_range) for y in (point.low, point.y, point.high))
        stroke = f'stroke="{colour}" stroke-width="2"'
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}" {stroke}/>')
        parts.append(f'<circle cx="{x:.1f}" cy="{middle:.1f}" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{x:.1f}" y="{high - 4:.1f}" text-anchor="middle">{index + 1}</text>')
        level = HEIGHT + LEGEND_LINE * index
        parts.append(f'<circle cx="60" cy="{level}" r="5" fill="{colour}"/>')
        parts.append(f'<text x="72" y="{level + 4}">{index + 1}: {escape(point.label)}</text>')
    height = HEIGHT + LEGEND_LINE * len(points)
    moved = "; points that would cover each other are drawn side by side" if drawn != places else ""
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        + "".join(parts)
        + f"</svg><figcaption>{escape(title)}{moved}</figcaption></figure>"
    )


def _apart(places: Sequence[float]) -> list[float]:
    """Places of upright lines that stand `_APART` from each other, each as near as can be to its own."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    groups: list[list[int]] = []
    for index in order:
        groups.append([index])
        while len(groups) > 1 and _first(groups[-1], places) - _last(groups[-2], places) < _APART:
            groups[-2:] = [groups[-2] + groups[-1]]
    found = list(places)
    for group in groups:
        for step, index in enumerate(group):
            found[index] = _first(group, places) + _APART * step
    return found


def _first(group: Sequence[int], places: Sequence[float]) -> float:
    middle = sum(places[index] for index in group) / len(group)
    return middle - _APART * (len(group) - 1) / 2


def _last(group: Sequence[int], places: Sequence[float]) -> float:
    return _first(group, places) + _APART * (len(group) - 1)
