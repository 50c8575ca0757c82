"""The counter of the microwave task as MJCF: worktop with stove and pot, tiles, shelf and other things."""

import numpy as np

from theia_sim.scenes.kitchen import NOMINAL_BASE_HEIGHT_M, rounded

COUNTER_M = 0.13  # height of the worktop over the arm's base
FRONT_X_M = 0.20
POT_FLOOR_M = COUNTER_M + 0.012
POT_RIM_M = COUNTER_M + 0.046
POT_RADIUS_M = 0.072  # inside
_SIDES = 18
_WALL_M = 0.003  # half the pot's wall


def stove_assets() -> str:
    """Materials and meshes of counter and pot; a scene colours "pot"."""
    return (
        '<material name="pot" rgba=".22 .42 .62 1" specular=".6" shininess=".7"/>'
        '<material name="pot_inside" rgba=".46 .47 .49 1" specular=".3" shininess=".4"/>'
        + rounded("hob", (0.110, 0.118, 0.005), 0.004)
        + rounded("board", (0.060, 0.090, 0.007), 0.006)
    )


def counter() -> str:
    """Cupboard with worktop and stove, tiled wall behind and a shelf above."""
    top_m, deep_m = COUNTER_M, 0.66 - FRONT_X_M
    middle_m, under_m = FRONT_X_M + deep_m / 2, (top_m - 0.02 - NOMINAL_BASE_HEIGHT_M) / 2
    burners = "".join(
        f'<geom type="cylinder" size=".062 .0008" pos="{x} {y} {top_m + 0.0068}" material="steel" '
        'class="scenery"/>'
        f'<geom type="cylinder" size=".054 .0010" pos="{x} {y} {top_m + 0.0070}" rgba="{rgba}" '
        'class="scenery"/>'
        for x, y, rgba in ((0.305, -0.17, ".45 .15 .10 1"),)
    )
    knobs = "".join(
        f'<geom type="cylinder" size=".012 .007" euler="0 1.5708 0" pos="{FRONT_X_M - 0.012} {y} '
        f'{top_m - 0.045}" material="steel" class="scenery"/>'
        for y in (-0.23, -0.17, -0.11)
    )
    doors = "".join(
        f'<geom type="mesh" mesh="cabinet_door" pos="{FRONT_X_M + 0.006} {y} {top_m - 0.21}" '
        'material="white" class="scenery"/>'
        for y in (-0.36, -0.16, 0.04, 0.24, 0.44)
    )
    jars = "".join(
        f'<geom type="mesh" mesh="jar" pos=".60 {y} {top_m + 0.365}" rgba="{rgba}" class="scenery"/>'
        f'<geom type="cylinder" size=".019 .005" pos=".60 {y} {top_m + 0.395}" material="steel" '
        'class="scenery"/>'
        for y, rgba in ((-0.12, ".75 .16 .14 1"), (-0.05, ".92 .66 .15 1"), (0.12, ".30 .45 .25 1"))
    )
    return f"""
<geom type="box" size="{deep_m / 2 - 0.01} .58 {top_m - 0.02 - under_m}" pos="{middle_m + 0.01} 0 {under_m}"
 material="cabinet" class="solid"/>
<geom name="worktop" type="box" size="{deep_m / 2} .60 .012" pos="{middle_m} 0 {top_m - 0.012}"
 material="wood" class="solid"/>
{doors}{knobs}
<geom type="box" size=".14 .60 .004" euler="0 1.5708 0" pos=".654 0 {top_m + 0.14}" material="tiles"
 class="scenery"/>
<geom name="hob" type="mesh" mesh="hob" pos=".305 -.17 {top_m + 0.002}" material="dark" class="solid"/>
{burners}
<geom type="box" size=".05 .30 .008" pos=".60 .10 {top_m + 0.33}" material="wood" class="scenery"/>
{jars}
<geom type="mesh" mesh="board" euler="0 1.25 0" pos=".615 -.30 {top_m + 0.06}" material="wood"
 class="scenery"/>
<geom type="cylinder" size=".030 .045" pos=".56 -.42 {top_m + 0.045}" material="white" class="scenery"/>
<geom type="capsule" size=".004" fromto=".56 -.425 {top_m + 0.06} .575 -.46 {top_m + 0.18}" material="wood"
 class="scenery"/>
<geom type="capsule" size=".004" fromto=".555 -.415 {top_m + 0.06} .55 -.38 {top_m + 0.17}" material="steel"
 class="scenery"/>
<geom type="ellipsoid" size=".004 .016 .022" pos=".549 -.374 {top_m + 0.185}" material="steel"
 class="scenery"/>
<geom class="shadow" size=".05 .05 .0006" pos=".565 -.42 {top_m}"/>
"""


def pot_body() -> str:
    """The body "pot"; its origin lies on the counter. It is fixed to the stove: its walls do not move."""
    wall = []
    ring_m = POT_RADIUS_M + _WALL_M
    z_m, half_z_m = (POT_RIM_M + POT_FLOOR_M) / 2 - COUNTER_M, (POT_RIM_M - POT_FLOOR_M) / 2 + 0.002
    for turn_rad in np.arange(_SIDES) * 2 * np.pi / _SIDES:
        x_m, y_m = ring_m * np.cos(turn_rad), ring_m * np.sin(turn_rad)
        half_m = (ring_m + _WALL_M) * np.tan(np.pi / _SIDES)
        wall.append(
            f'<geom type="box" size="{_WALL_M} {half_m:.5f} {half_z_m}" pos="{x_m:.5f} {y_m:.5f} {z_m}" '
            f'euler="0 0 {turn_rad:.5f}" material="pot" class="solid"/>'
        )
    handles = "".join(
        f'<geom type="capsule" size=".005" fromto="{sign * (ring_m + 0.002)} -.018 .034 '
        f'{sign * (ring_m + 0.018)} -.014 .036" material="dark" class="scenery"/>'
        f'<geom type="capsule" size=".005" fromto="{sign * (ring_m + 0.018)} -.014 .036 '
        f'{sign * (ring_m + 0.018)} .014 .036" material="dark" class="scenery"/>'
        f'<geom type="capsule" size=".005" fromto="{sign * (ring_m + 0.018)} .014 .036 '
        f'{sign * (ring_m + 0.002)} .018 .034" material="dark" class="scenery"/>'
        for sign in (-1, 1)
    )
    floor_m = POT_FLOOR_M - COUNTER_M
    return f"""
<body name="pot">
 <geom name="pot_floor" type="cylinder" size="{ring_m} .002" pos="0 0 {floor_m - 0.002}"
  material="pot_inside" class="solid"/>
 {"".join(wall)}{handles}
 <geom class="shadow" size=".092 .092 .0004" pos="0 0 .0085"/>
</body>"""
