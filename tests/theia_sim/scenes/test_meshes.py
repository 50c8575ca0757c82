"""Drawn meshes are closed, and their faces look outwards."""

import re

import numpy as np
import pytest

from theia_sim.scenes.meshes import turned_mesh, wire_mesh

WIRES = [(np.zeros(3), np.array([0.1, 0.0, 0.0])), (np.zeros(3), np.array([0.0, 0.0, 0.05]))]
TUBE = ((0.03, 0.0), (0.03, 0.1), (0.02, 0.1), (0.02, 0.0))


def parse(asset):
    vertices = np.array(re.search(r'vertex="([^"]*)"', asset)[1].split(), float).reshape(-1, 3)
    faces = np.array(re.search(r'face="([^"]*)"', asset)[1].split(), int).reshape(-1, 3)
    return vertices, faces


@pytest.mark.parametrize("asset", [turned_mesh("tube", TUBE), wire_mesh("wires", WIRES, 0.002)])
def test_every_edge_is_shared_by_two_faces_that_agree_on_the_outside(asset):
    _, faces = parse(asset)
    edges = [tuple(edge) for face in faces for edge in zip(face, np.roll(face, -1), strict=True)]
    assert len(set(edges)) == len(edges)
    assert {(b, a) for a, b in edges} == set(edges)


@pytest.mark.parametrize(
    ("asset", "volume_m3"),
    [
        (turned_mesh("tube", TUBE, turns=200), np.pi * 0.1 * (0.03**2 - 0.02**2)),
        (wire_mesh("wires", WIRES, 0.002), 0.15 * 2.5 * 0.002**2 * np.sin(2 * np.pi / 5)),
    ],
)
def test_the_enclosed_volume_is_the_shapes(asset, volume_m3):
    vertices, faces = parse(asset)
    assert np.linalg.det(vertices[faces]).sum() / 6 == pytest.approx(volume_m3, rel=0.01)
