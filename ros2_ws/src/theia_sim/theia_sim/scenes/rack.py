"""The drying rack at the sink's left as MJCF: a wire basket on a drip tray, two plates in its back.

Its frame: x away from the robot, y left, z up; the origin is under the middle of the basket's free part, on
the worktop.
"""

import numpy as np

from theia_sim.scenes.meshes import wire_mesh

HALF_X_M, HALF_Y_M = 0.078, 0.066  # of the free part, inside
FLOOR_M = 0.016
RAIL_M = 0.042  # height of the upper rail
_BACK_X_M = HALF_X_M + 0.055  # where the plates' part ends
_WIRE_M = 0.0019


def inside(rack_m: np.ndarray, point_m: np.ndarray) -> bool:
    """Whether a point (3,) lies over the free part of the rack at `rack_m` (3,)."""
    x_m, y_m, z_m = point_m - rack_m
    return bool(abs(x_m) <= HALF_X_M and abs(y_m) <= HALF_Y_M and z_m >= 0.0)


def rack_assets() -> str:
    """Wires and materials; a scene colours "tray"."""
    front, back, side = -HALF_X_M - 0.002, _BACK_X_M, HALF_Y_M + 0.002
    wires: list[tuple[tuple[float, ...], tuple[float, ...]]] = []
    for z in (FLOOR_M, RAIL_M):
        corners = ((front, -side, z), (front, side, z), (back, side, z), (back, -side, z))
        wires += zip(corners, (*corners[1:], corners[0]), strict=True)
    for y in np.linspace(-side, side, 9)[1:-1]:
        wires.append(((front, y, FLOOR_M), (back, y, FLOOR_M)))
        wires += [((x, y, FLOOR_M), (x, y, RAIL_M)) for x in (front, back)]
    for x in np.linspace(front, back, 10)[1:-1]:
        wires += [((x, y, FLOOR_M), (x, y, RAIL_M)) for y in (-side, side)]
    divider = HALF_X_M + 0.002
    wires.append(((divider, -side, RAIL_M), (divider, side, RAIL_M)))
    wires += [((x, y, 0.005), (x, y, RAIL_M)) for x in (front, back) for y in (-side, side)]
    segments = [(np.array(a), np.array(b)) for a, b in wires]
    return wire_mesh("rack", segments, _WIRE_M) + (
        '<material name="wire" rgba=".90 .91 .92 1" specular=".7" shininess=".7"/>'
        '<material name="tray" rgba=".35 .50 .58 1" specular=".3" shininess=".4"/>'
    )


def rack_body() -> str:
    """The body "rack"; it does not move."""
    front, back, side = -HALF_X_M - 0.002, _BACK_X_M, HALF_Y_M + 0.002
    middle, half, low = (front + back) / 2, (back - front) / 2, FLOOR_M / 2
    wall = f'class="hidden" size="{half} .002 {(RAIL_M - low) / 2}"'
    across = f'class="hidden" size=".002 {side} {(RAIL_M - low) / 2}"'
    z = (RAIL_M + low) / 2
    plate = f'<geom type="cylinder" euler="0 1.45 0" pos="{{}} {{}} {FLOOR_M + 0.054}"'
    plates = "".join(
        plate.format(x, y)
        + f' size=".055 .0025" rgba="{rgba}" class="solid"/>'
        + plate.format(x, y)
        + f' size=".036 .0034" rgba="{inner}" class="scenery"/>'
        for x, y, rgba, inner in (
            (HALF_X_M + 0.022, 0.004, ".93 .93 .90 1", ".85 .87 .86 1"),
            (HALF_X_M + 0.042, -0.004, ".55 .70 .75 1", ".48 .63 .68 1"),
        )
    )
    long, wide, edge = half + 0.014, side + 0.014, 'material="tray" class="scenery"'
    tray = (
        f'<geom type="box" size="{long} {wide} .002" pos="{middle} 0 .0022" {edge}/>'
        f'<geom type="box" size="{long} .002 .006" pos="{middle} {wide} .006" {edge}/>'
        f'<geom type="box" size="{long} .002 .006" pos="{middle} {-wide} .006" {edge}/>'
        f'<geom type="box" size=".002 {wide + 0.002} .006" pos="{middle - long} 0 .006" {edge}/>'
        f'<geom type="box" size=".002 {wide + 0.002} .006" pos="{middle + long} 0 .006" {edge}/>'
    )
    return f"""
<body name="rack">
 {tray}
 <geom type="mesh" mesh="rack" material="wire" class="scenery"/>
 <geom name="rack_floor" type="box" size="{half} {side} {low}" pos="{middle} 0 {low}" class="hidden"/>
 <geom type="box" {wall} pos="{middle} {side} {z}"/><geom type="box" {wall} pos="{middle} {-side} {z}"/>
 <geom type="box" {across} pos="{front} 0 {z}"/><geom type="box" {across} pos="{HALF_X_M + 0.002} 0 {z}"/>
 {plates}
</body>"""
