"""Shapes that toy foods are made of, as MJCF geoms."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from theia_sim.scenes.assets import numbers

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Part:
    """One geom of a food.

    Attributes:
        geom: MJCF attributes of its shape and place.
        rgb: its colour.
        solid: whether it has contacts and mass; decoration has neither.
        vertices: MJCF vertices of a mesh, "" for a primitive.
    """

    geom: str
    rgb: Rgb
    solid: bool = True
    vertices: str = ""


def ball(size_m: Sequence[float], at_m: Sequence[float], rgb: Rgb, *, solid: bool = True) -> Part:
    """An ellipsoid with half axes `size_m`."""
    return Part(f'type="ellipsoid" size="{numbers(size_m)}" pos="{numbers(at_m)}"', rgb, solid)


def box(size_m: Sequence[float], at_m: Sequence[float], rgb: Rgb, *, solid: bool = True) -> Part:
    """A box with half lengths `size_m`."""
    return Part(f'type="box" size="{numbers(size_m)}" pos="{numbers(at_m)}"', rgb, solid)


def rod(
    radius_m: float, start_m: Sequence[float], end_m: Sequence[float], rgb: Rgb, *, solid: bool = True
) -> Part:
    """A capsule from one point to another."""
    return Part(f'type="capsule" size="{radius_m}" fromto="{numbers([*start_m, *end_m])}"', rgb, solid)


def disc(radius_m: float, half_m: float, height_m: float, rgb: Rgb, *, solid: bool = True) -> Part:
    """An upright cylinder with its middle at `height_m`."""
    return Part(f'type="cylinder" size="{radius_m} {half_m}" pos="0 0 {height_m}"', rgb, solid)


def turned(rings_m: Sequence[tuple[float, float]], axis: str, rgb: Rgb, *, solid: bool = True) -> Part:
    """A convex solid of revolution about the axis "x" or "z", from (place along it, radius) of its rings."""
    turns = np.arange(12) * 2 * np.pi / 12
    points = np.concatenate(
        [np.stack([np.full(12, at), r * np.cos(turns), r * np.sin(turns)], axis=1) for at, r in rings_m]
    )
    return hull(points if axis == "x" else points[:, [1, 2, 0]], rgb, solid=solid)


def hull(points_m: np.ndarray, rgb: Rgb, *, solid: bool = True) -> Part:
    """The convex hull of points (n, 3)."""
    return Part('type="mesh"', rgb, solid, numbers(points_m.ravel()))


def chain(radii_m: Sequence[float], points_m: np.ndarray, rgb: Rgb) -> list[Part]:
    """Rods from each of the points (n + 1, 3) to the next, with n radii."""
    ends = pairwise(points_m)
    return [rod(radius_m, a, b, rgb) for radius_m, (a, b) in zip(radii_m, ends, strict=True)]
