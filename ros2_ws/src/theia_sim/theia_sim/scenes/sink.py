"""The counter of the pick-and-place task as MJCF: worktop with toy sink, tap, tiles, shelf and other things.

The sink's place is the middle of its opening; everything here hangs on the body "kitchen".
"""

from itertools import pairwise

import numpy as np

from theia_sim.scenes.assets import numbers
from theia_sim.scenes.kitchen import NOMINAL_BASE_HEIGHT_M, rounded

COUNTER_M = 0.10  # height of the worktop over the arm's base
SINK_M = np.array([0.300, -0.085])
HALF_X_M, HALF_Y_M = 0.100, 0.140
FLOOR_M = COUNTER_M - 0.045
_FRONT_X_M, _BACK_X_M = 0.165, 0.65
_HALF_WIDTH_M = 0.60
_WALL_M = 0.006

DEFAULTS = '<default class="hidden"><geom group="4" contype="1" conaffinity="2"/></default>'


def sink_assets() -> str:
    """Materials and meshes; a scene colours "basin"."""
    return (
        '<material name="basin" rgba=".70 .73 .76 1" specular=".7" shininess=".7"/>'
        '<material name="basin_floor" rgba=".58 .61 .64 1" specular=".4" shininess=".5"/>'
        + rounded("sponge", (0.022, 0.034, 0.012), 0.004)
        + rounded("soap", (0.016, 0.024, 0.042), 0.012)
        + rounded("board", (0.060, 0.090, 0.007), 0.006)
    )


def counter() -> str:
    """Cupboard, worktop around the sink, the sink itself, wall and scenery."""
    return _cupboard() + _basin() + _tap() + _things()


def _box(size_m: tuple[float, ...], at_m: tuple[float, ...], looks: str) -> str:
    return f'<geom type="box" size="{numbers(size_m)}" pos="{numbers(at_m)}" {looks}/>'


def _cupboard() -> str:
    """Worktop in four pieces that leave the sink's opening free, and what is below it."""
    (x, y), top, wood = SINK_M, COUNTER_M - 0.012, 'material="wood" class="solid"'
    deep, wide = HALF_X_M + _WALL_M, HALF_Y_M + _WALL_M
    pieces = (
        (_FRONT_X_M, x - deep, -_HALF_WIDTH_M, _HALF_WIDTH_M),
        (x + deep, _BACK_X_M, -_HALF_WIDTH_M, _HALF_WIDTH_M),
        (x - deep, x + deep, -_HALF_WIDTH_M, y - wide),
        (x - deep, x + deep, y + wide, _HALF_WIDTH_M),
    )
    worktop = "".join(
        _box(((b - a) / 2, (d - c) / 2, 0.012), ((a + b) / 2, (c + d) / 2, top), wood)
        for a, b, c, d in pieces
    )
    floor, under = -NOMINAL_BASE_HEIGHT_M, COUNTER_M - 0.024
    half = (_BACK_X_M - _FRONT_X_M) / 2
    doors = "".join(
        f'<geom type="mesh" mesh="cabinet_door" pos="{_FRONT_X_M + 0.006} {at} {under - 0.16}" '
        'material="white" class="scenery"/>'
        f'<geom type="capsule" size=".004 .028" pos="{_FRONT_X_M - 0.012} {at + 0.06} {under - 0.08}" '
        'material="steel" class="scenery"/>'
        for at in (-0.45, -0.25, -0.05, 0.15, 0.35)
    )
    front = _box(
        (0.005, _HALF_WIDTH_M - 0.02, (under - floor) / 2),
        (_FRONT_X_M + 0.015, 0.0, (under + floor) / 2),
        'material="cabinet" class="scenery"',
    )
    side = "".join(
        _box(
            (half - 0.01, 0.005, (under - floor) / 2),
            (_FRONT_X_M + half + 0.01, sign * (_HALF_WIDTH_M - 0.02), (under + floor) / 2),
            'material="cabinet" class="scenery"',
        )
        for sign in (-1, 1)
    )
    return worktop + front + side + doors


def _basin() -> str:
    (x, y), deep, half_wall = SINK_M, (COUNTER_M - FLOOR_M) / 2, _WALL_M / 2
    wall, rim = 'material="basin" class="solid"', 'material="basin" class="scenery"'
    z, rim_z = COUNTER_M - deep, COUNTER_M + 0.0008
    parts = [
        _box(
            (HALF_X_M + _WALL_M, HALF_Y_M + _WALL_M, 0.004),
            (x, y, FLOOR_M - 0.004),
            'name="sink_floor" material="basin_floor" class="solid"',
        )
    ]
    for sign in (-1, 1):
        at_x, at_y = x + sign * (HALF_X_M + half_wall), y + sign * (HALF_Y_M + half_wall)
        parts += [
            _box((half_wall, HALF_Y_M + _WALL_M, deep), (at_x, y, z), wall),
            _box((HALF_X_M + _WALL_M, half_wall, deep), (x, at_y, z), wall),
            _box((0.008, HALF_Y_M + 0.016, 0.0016), (x + sign * (HALF_X_M + 0.008), y, rim_z), rim),
            _box((HALF_X_M, 0.008, 0.0016), (x, y + sign * (HALF_Y_M + 0.008), rim_z), rim),
        ]
    drain = f"{x + 0.030} {y - 0.02} {FLOOR_M + 0.0004}"
    return "".join(parts) + (
        f'<geom type="cylinder" size=".020 .0006" pos="{drain}" material="steel" class="scenery"/>'
        f'<geom type="cylinder" size=".014 .0009" pos="{drain}" material="dark" class="scenery"/>'
    )


def _tap() -> str:
    """Behind the basin, its spout short and low: hand and cup must pass before it and over it."""
    x, y, z = SINK_M[0] + HALF_X_M + 0.052, SINK_M[1], COUNTER_M
    steel = 'material="steel" class="solid"'
    tip = x - 0.032
    pipe = ((x, y, z), (x, y, z + 0.075), (tip, y, z + 0.082), (tip - 0.004, y, z + 0.066))
    lever = ((x, y, z + 0.04), (x, y - 0.032, z + 0.055))
    return f'<geom type="cylinder" size=".014 .006" pos="{x} {y} {z + 0.006}" {steel}/>' + "".join(
        f'<geom type="capsule" size="{radius}" fromto="{numbers([*start, *end])}" {steel}/>'
        for radius, points in ((0.006, pipe), (0.004, lever))
        for start, end in pairwise(points)
    )


def _things() -> str:
    top = COUNTER_M
    return f"""
<geom type="box" size=".14 .60 .004" euler="0 1.5708 0" pos=".654 0 {top + 0.14}" material="tiles"
 class="scenery"/>
<geom type="box" size=".05 .30 .008" pos=".60 -.10 {top + 0.33}" material="wood" class="scenery"/>
<geom type="mesh" mesh="sponge" euler="0 0 .3" pos=".445 -.215 {top + 0.012}" rgba=".93 .80 .25 1"
 class="scenery"/>
<geom type="mesh" mesh="soap" pos=".50 -.245 {top + 0.042}" rgba=".35 .65 .45 1" class="scenery"/>
<geom type="cylinder" size=".006 .012" pos=".50 -.245 {top + 0.094}" material="white" class="scenery"/>
<geom type="capsule" size=".004" fromto=".50 -.245 {top + 0.105} .478 -.245 {top + 0.103}" material="white"
 class="scenery"/>
<geom type="mesh" mesh="board" euler="0 1.25 0" pos=".615 .05 {top + 0.06}" material="wood" class="scenery"/>
<geom class="shadow" size=".034 .042 .0004" pos=".447 -.213 {top + 0.0004}"/>
<geom class="shadow" size=".024 .032 .0004" pos=".502 -.243 {top + 0.0004}"/>
"""
