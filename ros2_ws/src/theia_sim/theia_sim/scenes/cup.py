"""The toy cup as MJCF: drawn round, made of flat wall segments for the pads, standing on eight points.

Its frame: origin at the middle of its foot, z along its axis, the handle towards x.
"""

from itertools import pairwise

import numpy as np

from theia_sim.scenes.meshes import turned_mesh

HEIGHT_M = 0.070
RADIUS_M = 0.034  # to the middle of the wall
HANDLE_REACH_M = 0.066  # from the axis to the handle's far side
_HALF_WALL_M = 0.0022
_SEGMENTS = 16

# Walls meet the hand only; foot, hull and handle meet what stands around.
DEFAULTS = """
<default class="cup_wall">
 <geom group="4" contype="0" conaffinity="2" condim="6" friction="1.2 .02 .002"/>
</default>
<default class="cup_foot">
 <geom type="sphere" size=".003" group="4" contype="0" conaffinity="1" condim="4" friction=".8 .01 .001"/>
</default>
<default class="cup_hull">
 <geom type="cylinder" group="4" contype="0" conaffinity="1" friction=".4"/>
</default>
<default class="cup_handle">
 <geom type="capsule" size=".0045" contype="0" conaffinity="3" group="1" material="cup"/>
</default>
"""


def cup_assets() -> str:
    """Mesh and materials of the cup; a scene colours "cup"."""
    outer, inner = RADIUS_M + _HALF_WALL_M, RADIUS_M - _HALF_WALL_M
    outline = (
        (0.0005, 0.0),
        (outer - 0.005, 0.0),
        (outer - 0.0015, 0.0018),
        (outer, 0.006),
        (outer, HEIGHT_M - 0.001),
        (outer - 0.0012, HEIGHT_M),
        (inner + 0.0012, HEIGHT_M),
        (inner, HEIGHT_M - 0.001),
        (inner, 0.010),
        (inner - 0.004, 0.006),
        (0.0005, 0.006),
    )
    return turned_mesh("cup", outline) + (
        '<material name="cup" rgba=".95 .55 .68 1" specular=".5" shininess=".6"/>'
    )


def cup_body() -> str:
    """The body "cup" on a free joint of the same name."""
    half_z_m = (HEIGHT_M - 0.004) / 2
    half_m = (RADIUS_M + _HALF_WALL_M) * np.tan(np.pi / _SEGMENTS)
    walls = "".join(
        f'<geom name="cup_wall_{i}" type="box" size="{_HALF_WALL_M} {half_m:.5f} {half_z_m}" '
        f'pos="{RADIUS_M * np.cos(turn):.5f} {RADIUS_M * np.sin(turn):.5f} {0.004 + half_z_m}" '
        f'euler="0 0 {turn:.5f}" class="cup_wall"/>'
        for i, turn in enumerate(np.arange(_SEGMENTS) * 2 * np.pi / _SEGMENTS)
    )
    feet = "".join(
        f'<geom name="cup_foot_{i}" pos="{0.030 * np.cos(turn):.5f} {0.030 * np.sin(turn):.5f} .003" '
        'class="cup_foot"/>'
        for i, turn in enumerate(np.arange(8) * np.pi / 4)
    )
    outer, far, corner = RADIUS_M, HANDLE_REACH_M - 0.0045, HANDLE_REACH_M - 0.012
    points = ((outer, 0.055), (corner, 0.055), (far, 0.046), (far, 0.030), (corner, 0.020), (outer, 0.018))
    handle = "".join(
        f'<geom name="cup_handle_{i}" fromto="{a[0]} 0 {a[1]} {b[0]} 0 {b[1]}" class="cup_handle"/>'
        for i, (a, b) in enumerate(pairwise(points))
    )
    return f"""
<body name="cup">
 <freejoint name="cup"/>
 <inertial pos=".003 0 .028" mass=".06" diaginertia="6e-5 6e-5 7e-5"/>
 <geom type="mesh" mesh="cup" material="cup" class="scenery"/>
 <geom name="cup_floor" type="cylinder" size="{RADIUS_M} .003" pos="0 0 .003" class="cup_wall"/>
 <geom name="cup_hull" size="{RADIUS_M + _HALF_WALL_M} {half_z_m}" pos="0 0 {0.004 + half_z_m}"
  class="cup_hull"/>
 {walls}{feet}{handle}
</body>"""
