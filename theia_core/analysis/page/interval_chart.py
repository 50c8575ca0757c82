"""Means with their intervals, one line each, as inline SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from theia_core.analysis.page.chart import COLOURS

WIDTH, _LEFT, _RIGHT, _LINE, _TOP = 420, 14, 14, 40, 8


@dataclass(frozen=True)
class Interval:
    """A mean with the ends of its interval, as shares from 0 to 1."""

    label: str
    mean: float
    low: float
    high: float


def interval_chart(intervals: Sequence[Interval], title: str, mark: float | None, mark_label: str) -> str:
    """Intervals on an axis from 0 to 100 %, with a dashed line at `mark`.

    Args:
        intervals: drawn from top to bottom, each under its label.
        title: said to screen readers and shown as the figure's caption.
        mark: share that the dashed line shows, such as chance; None: there is no line.
        mark_label: what that line is called.
    """
    bottom = _TOP + _LINE * len(intervals) + 6
    parts = []
    for percent in range(0, 101, 20):
        x = _x(percent / 100)
        anchor = "start" if percent == 0 else "end" if percent == 100 else "middle"
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}" stroke="#d9dce1"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="{anchor}">{percent} %</text>')
    if mark is not None:
        x = _x(mark)
        dashed = 'stroke="#5b6068" stroke-dasharray="4 3"'
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}" {dashed}/>')
        anchor, offset = ("end", -4) if mark > 0.6 else ("start", 4)
        parts.append(
            f'<text x="{x + offset:.1f}" y="{bottom - 4}" text-anchor="{anchor}">{escape(mark_label)}</text>'
        )
    for index, interval in enumerate(intervals):
        y, colour = _TOP + _LINE * index + 27, COLOURS[index % len(COLOURS)]
        low, mean, high = (_x(value) for value in (interval.low, interval.mean, interval.high))
        parts.append(f'<text x="{_LEFT}" y="{y - 12}">{escape(interval.label)}</text>')
        parts.append(
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="3"/>'
        )
        parts.append(f'<circle cx="{mean:.1f}" cy="{y}" r="5" fill="{colour}"/>')
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {bottom + 22}" role="img" aria-label="{escape(title)}">'
        + "".join(parts)
        + f"</svg><figcaption>{escape(title)}</figcaption></figure>"
    )


def _x(share: float) -> float:
    return _LEFT + share * (WIDTH - _LEFT - _RIGHT)
