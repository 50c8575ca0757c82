"""Spot drawn with meshes of another package: only pictures for people change."""

import mujoco
import numpy as np
import pytest

from theia_sim.scenes import spot_meshes
from theia_sim.scenes.drawer import DrawerEnv
from theia_sim.scenes.drawer_params import DrawerParams

CUBE = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)], float) * 0.05
FACES = np.array([(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1)])
FACES = np.concatenate([FACES, [(2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3)]])


@pytest.fixture
def folder(tmp_path):
    for meshes in spot_meshes.BODIES.values():
        for name, _ in meshes:
            spot_meshes._write_stl(tmp_path / f"{name}.stl", CUBE, FACES)
    return tmp_path


def test_the_model_with_meshes_moves_as_the_one_without(folder, monkeypatch):
    monkeypatch.setattr("theia_sim.scenes.spot_world.mesh_folder", lambda: folder)
    env = DrawerEnv()
    env.reset(DrawerParams.sample(1))
    other = env.spectator_model
    assert other is not env.model and other.nmesh > env.model.nmesh
    env.place(other, env.params)
    data = mujoco.MjData(other)
    data.qpos[:], data.ctrl[:] = env.data.qpos, env.data.ctrl
    for _ in range(100):
        mujoco.mj_step(other, data)
        mujoco.mj_step(env.model, env.data)
    np.testing.assert_allclose(data.qpos, env.data.qpos, atol=1e-12)
    shown = other.geom_group[other.geom_bodyid == other.body("arm_link_wr1").id]
    assert sorted(set(shown)) == [2, 3, 4]  # meshes, hidden primitives, contacts


def test_without_the_packages_the_scene_is_drawn_with_primitives(monkeypatch):
    monkeypatch.setattr(spot_meshes.importlib.util, "find_spec", lambda name: None)
    env = DrawerEnv()
    assert spot_meshes.mesh_folder() is None and env.spectator_model is env.model


def test_equal_corners_of_a_wavefront_file_are_one_vertex(tmp_path):
    path = tmp_path / "two.obj"
    path.write_text(
        "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvn 0 0 1\n"
        "f 1//1 2//1 3//1\nf 4//1 5//1 6//1\nf 2//1 4//1 5//1\n"
    )
    vertices, faces = spot_meshes._read_obj(path)
    assert len(vertices) == 4 and len(faces) == 2  # the third triangle has no area


@pytest.mark.skipif(
    spot_meshes.importlib.util.find_spec("fast_simplification") is None, reason="not installed"
)
def test_a_fine_mesh_is_thinned_out():
    side = np.linspace(0, 1, 60)
    vertices = np.array([(x, y, 0.05 * np.sin(9 * x)) for x in side for y in side])
    corners = np.array([(60 * i + j) for i in range(59) for j in range(59)])
    faces = np.concatenate([np.stack([corners, corners + 60, corners + 1], 1)] * 1)
    faces = np.concatenate([faces, np.stack([corners + 1, corners + 60, corners + 61], 1)])
    _, few = spot_meshes._thinned(vertices, faces)
    assert len(few) <= spot_meshes.FACES < len(faces)
