"""Meshes of few faces that are only drawn: solids of revolution, and wires."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

_WIRE_SIDES = 5


def turned_mesh(name: str, outline_m: Sequence[tuple[float, float]], turns: int = 24) -> str:
    """Mesh asset of a solid of revolution about z, hollow ones too.

    Args:
        name: of the asset.
        outline_m: (radius, height) of the closed outline's corners, counter-clockwise with the radius to the
            right and the height upwards.
        turns: facets around.
    """
    angles = np.arange(turns) * 2 * np.pi / turns
    vertices = np.array([(r * np.cos(a), r * np.sin(a), z) for r, z in outline_m for a in angles])
    faces = []
    for ring, after in pairwise([*range(len(outline_m)), 0]):
        for i in range(turns):
            j = (i + 1) % turns
            low, high = ring * turns, after * turns
            faces += [(low + i, low + j, high + j), (low + i, high + j, high + i)]
    return mesh(name, vertices, np.array(faces))


def wire_mesh(name: str, wires_m: Sequence[tuple[np.ndarray, np.ndarray]], radius_m: float) -> str:
    """Mesh asset of straight wires, each from one point (3,) to another."""
    vertices, faces = [], []
    for start_m, end_m in wires_m:
        along = (end_m - start_m) / np.linalg.norm(end_m - start_m)
        side = np.cross(along, [0.0, 0.0, 1.0] if abs(along[2]) < 0.9 else [1.0, 0.0, 0.0])
        side /= np.linalg.norm(side)
        other, first, n = np.cross(along, side), len(vertices), _WIRE_SIDES
        turns = np.arange(n) * 2 * np.pi / n
        ring = radius_m * (np.cos(turns)[:, None] * side + np.sin(turns)[:, None] * other)
        vertices += [*(start_m + ring), *(end_m + ring)]
        for i in range(n):
            j = (i + 1) % n
            faces += [(first + i, first + j, first + n + j), (first + i, first + n + j, first + n + i)]
        for i in range(1, n - 1):
            faces += [(first, first + i + 1, first + i), (first + n, first + n + i, first + n + i + 1)]
    return mesh(name, np.array(vertices), np.array(faces))


def mesh(name: str, vertices_m: np.ndarray, faces: np.ndarray) -> str:
    """Mesh asset of vertices (n, 3) and faces (m, 3), counter-clockwise from outside."""
    points = " ".join(f"{value:.5f}" for value in vertices_m.ravel())
    return f'<mesh name="{name}" vertex="{points}" face="{" ".join(map(str, faces.ravel()))}"/>'
