"""Line charts as inline SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

# Colours that differ for colour-blind readers (Okabe and Ito, 2008), dashes that differ in black and white.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
DASHES = ("", "7 3", "2 3", "10 3 2 3", "4 2", "12 4", "1 2")
WIDTH, HEIGHT = 420, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 12, 10, 42
LEGEND_LINE = 17


@dataclass(frozen=True)
class Series:
    """One line of a chart: its label and its points, x and y of equal length."""

    label: str
    x: np.ndarray
    y: np.ndarray


def line_chart(
    series: Sequence[Series],
    title: str,
    x_label: str,
    y_label: str,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
) -> str:
    """A chart with a legend below it.

    Args:
        series: the lines, drawn in this order.
        title: said to screen readers and shown as the figure's caption.
        x_label: what lies along x, with its unit.
        y_label: what lies along y, with its unit.
        x_range: ends of the x axis.
        y_range: ends of the y axis; values above it are drawn at its end.
    """
    height = HEIGHT + LEGEND_LINE * len(series)
    parts = [axes(x_range, y_range, x_label, y_label)]
    for index, line in enumerate(series):
        stroke = _stroke(index)
        points = " ".join(
            f"{x_place(x, x_range):.1f},{y_place(min(y, y_range[1]), y_range):.1f}"
            for x, y in zip(line.x, line.y, strict=True)
        )
        parts.append(f'<polyline points="{points}" fill="none" {stroke}/>')
        level = HEIGHT + LEGEND_LINE * index
        parts.append(f'<line x1="{_LEFT}" x2="{_LEFT + 28}" y1="{level}" y2="{level}" {stroke}/>')
        parts.append(f'<text x="{_LEFT + 36}" y="{level + 4}">{escape(line.label)}</text>')
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        + "".join(parts)
        + f"</svg><figcaption>{escape(title)}</figcaption></figure>"
    )


def axes(x_range: tuple[float, float], y_range: tuple[float, float], x_label: str, y_label: str) -> str:
    """Both axes with their ticks and labels, and lines across."""
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM - LEGEND_LINE
    parts = []
    for tick in _ticks(*y_range):
        level = f"{y_place(tick, y_range):.1f}"
        parts.append(f'<line x1="{_LEFT}" x2="{right}" y1="{level}" y2="{level}" stroke="#d9dce1"/>')
        parts.append(
            f'<text x="{_LEFT - 6}" y="{level}" dy="4" text-anchor="end">{_number(tick, y_range)}</text>'
        )
    for tick in _ticks(*x_range):
        place = f"{x_place(tick, x_range):.1f}"
        parts.append(f'<line x1="{place}" x2="{place}" y1="{bottom}" y2="{bottom + 4}" stroke="#1c1e21"/>')
        parts.append(
            f'<text x="{place}" y="{bottom + 17}" text-anchor="middle">{_number(tick, x_range)}</text>'
        )
    parts.append(f'<line x1="{_LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}" stroke="#1c1e21"/>')
    middle = (_LEFT + right) / 2
    parts.append(f'<text x="{middle:.0f}" y="{bottom + 35}" text-anchor="middle">{escape(x_label)}</text>')
    centre = (_TOP + bottom) / 2
    turned = f'transform="translate(13 {centre:.0f}) rotate(-90)" text-anchor="middle"'
    parts.append(f"<text {turned}>{escape(y_label)}</text>")
    return "".join(parts)


def _stroke(index: int) -> str:
    dash = DASHES[index % len(DASHES)]
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'stroke="{COLOURS[index % len(COLOURS)]}" stroke-width="1.8"{dashes}'


def x_place(value: float, ends: tuple[float, float]) -> float:
    """Where a value lies along x, in the units of the SVG."""
    return _LEFT + (value - ends[0]) / (ends[1] - ends[0]) * (WIDTH - _LEFT - _RIGHT)


def y_place(value: float, ends: tuple[float, float]) -> float:
    """Where a value lies along y, in the units of the SVG."""
    bottom = HEIGHT - _BOTTOM - LEGEND_LINE
    return bottom - (value - ends[0]) / (ends[1] - ends[0]) * (bottom - _TOP)


def _ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from `low` to `high`, at most `most` of them."""
    rough = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [step * index for index in range(first, math.floor(high / step + 1e-9) + 1)]


def _number(value: float, ends: tuple[float, float]) -> str:
    step = (ends[1] - ends[0]) / 5
    digits = max(0, 1 - math.floor(math.log10(step))) if step < 1 else 0
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
