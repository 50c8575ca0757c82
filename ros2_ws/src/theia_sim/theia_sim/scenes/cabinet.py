"""A cabinet whose top drawer slides, as MJCF. World frame: Spot's nominal start is the origin, facing +x."""

import numpy as np

from theia_sim.scenes import fiducial
from theia_sim.scenes.kitchen import rounded

BAR_M = np.array([1.03, 0.0, 0.60])  # middle of the drawer's bar when shut
BAR_HALF_LENGTH_M, BAR_RADIUS_M = 0.09, 0.010
TRAVEL_M = 0.32
_FACE_X_M = BAR_M[0] + 0.055  # the drawer's outer face
_HALF_WIDTH_M, _DEPTH_M, _TOP_M, _LOW_M = 0.29, 0.44, 0.735, 0.09
_FRONT_HALF_M = (0.010, 0.262, 0.085)
_SHELF_M = 0.500  # between the drawer and the doors
_BACK_X_M = _FACE_X_M + _DEPTH_M


def cabinet_assets() -> str:
    """Meshes and materials; a scene colours "carcass", "front", "handle" and "worktop"."""
    door_half_m = (_SHELF_M - _LOW_M) / 2 - 0.012
    return (
        fiducial.plate_assets()
        + '<material name="carcass" rgba=".90 .88 .83 1" specular=".2" shininess=".3"/>'
        '<material name="front" rgba=".55 .66 .70 1" specular=".3" shininess=".4"/>'
        '<material name="handle" rgba=".75 .76 .78 1" specular=".9" shininess=".8"/>'
        '<material name="worktop" texture="wood" texrepeat="3 3" texuniform="true" specular=".3"/>'
        '<material name="drawer_inside" rgba=".82 .72 .56 1" specular=".1" shininess=".1"/>'
        + rounded("drawer_front", _FRONT_HALF_M, 0.006)
        + rounded("cabinet_panel", (0.010, 0.128, door_half_m), 0.006)
        + rounded("cabinet_top", (_DEPTH_M / 2 + 0.022, _HALF_WIDTH_M + 0.015, 0.014), 0.008)
        + rounded("cloth", (0.10, 0.09, 0.022), 0.018)
        + rounded("cocoa", (0.045, 0.032, 0.045), 0.006)
        + rounded("book", (0.075, 0.105, 0.014), 0.004)
    )


def cabinet_body() -> str:
    """The cabinet with its drawer on the joint "drawer", its bar "bar", the fiducial, and things on top."""
    middle_x = _FACE_X_M + _DEPTH_M / 2 + 0.010
    side_z, side_half = (_TOP_M + _LOW_M) / 2 - 0.014, (_TOP_M - _LOW_M) / 2
    door_z, door_half = (_SHELF_M + _LOW_M) / 2, 0.128 + 0.004
    outer_m = _HALF_WIDTH_M - 0.010
    solid, look = 'material="carcass" class="solid"', 'class="scenery"'
    knobs = "".join(
        f'<geom type="capsule" size=".006" fromto="{_FACE_X_M - 0.026} {y} {door_z + 0.05} '
        f'{_FACE_X_M - 0.026} {y} {door_z + 0.14}" material="handle" {look}/>'
        f'<geom type="cylinder" size=".005 .013" euler="0 1.5708 0" '
        f'pos="{_FACE_X_M - 0.012} {y} {door_z + 0.06}" material="handle" {look}/>'
        f'<geom type="cylinder" size=".005 .013" euler="0 1.5708 0" '
        f'pos="{_FACE_X_M - 0.012} {y} {door_z + 0.13}" material="handle" {look}/>'
        for y in (-0.035, 0.035)
    )
    feet = "".join(
        f'<geom type="cylinder" size=".018 {_LOW_M / 2}" pos="{x} {y} {_LOW_M / 2}" material="handle" '
        f"{look}/>"
        for x in (_FACE_X_M + 0.05, _BACK_X_M - 0.04)
        for y in (-_HALF_WIDTH_M + 0.04, _HALF_WIDTH_M - 0.04)
    )
    return f"""
<body name="cabinet">
 <geom type="box" size="{_DEPTH_M / 2} .010 {side_half}" pos="{middle_x} {outer_m} {side_z}" {solid}/>
 <geom type="box" size="{_DEPTH_M / 2} .010 {side_half}" pos="{middle_x} {-outer_m} {side_z}" {solid}/>
 <geom type="box" size="{_DEPTH_M / 2} {_HALF_WIDTH_M} .009" pos="{middle_x} 0 {_LOW_M}" {solid}/>
 <geom type="box" size="{_DEPTH_M / 2} {_HALF_WIDTH_M - 0.02} .009" pos="{middle_x} 0 {_SHELF_M}" {solid}/>
 <geom type="box" size=".010 {_HALF_WIDTH_M - 0.02} .019" pos="{_FACE_X_M + 0.012} 0 {_SHELF_M + 0.010}"
  {solid}/>
 <geom type="box" size=".008 {_HALF_WIDTH_M - 0.02} .012" pos="{_FACE_X_M + 0.030} 0 {_TOP_M - 0.026}"
  {solid}/>
 <geom type="box" size=".006 {_HALF_WIDTH_M} {side_half}" pos="{_BACK_X_M} 0 {side_z}" {solid}/>
 <geom type="mesh" mesh="cabinet_top" pos="{middle_x - 0.012} 0 {_TOP_M}" material="worktop" class="solid"/>
 <geom type="mesh" mesh="cabinet_panel" pos="{_FACE_X_M + 0.010} {door_half} {door_z}" material="front"
  class="solid"/>
 <geom type="mesh" mesh="cabinet_panel" pos="{_FACE_X_M + 0.010} {-door_half} {door_z}" material="front"
  class="solid"/>
 {knobs}{feet}
 {fiducial.plate((_FACE_X_M - 0.003, 0.152, door_z + 0.10))}
 <geom class="shadow" size="{_DEPTH_M / 2 + 0.06} {_HALF_WIDTH_M + 0.07} .0006" pos="{middle_x} 0 .004"/>
 {_on_top(middle_x)}
</body>
{_drawer()}"""


def _drawer() -> str:
    half_x, half_y, _ = _FRONT_HALF_M
    inner_m, depth_m = half_y - 0.014, 0.19
    inside, look = 'material="drawer_inside" class="scenery"', 'class="scenery"'
    posts = "".join(
        f'<geom type="cylinder" size=".007 .026" euler="0 1.5708 0" pos=".028 {y} 0" material="handle" '
        f"{look}/>"
        for y in (-BAR_HALF_LENGTH_M + 0.012, BAR_HALF_LENGTH_M - 0.012)
    )
    box_x = 0.055 + 2 * half_x + depth_m
    return f"""
<body name="drawer" pos="{BAR_M[0]} {BAR_M[1]} {BAR_M[2]}">
 <inertial pos=".2 0 0" mass="2" diaginertia=".05 .04 .07"/>
 <joint name="drawer" type="slide" axis="-1 0 0" range="0 {TRAVEL_M}" damping="12" frictionloss="4"/>
 <geom name="bar" type="capsule" size="{BAR_RADIUS_M}" material="handle" class="solid" condim="4"
  fromto="0 {-BAR_HALF_LENGTH_M} 0 0 {BAR_HALF_LENGTH_M} 0" friction="1.1 .02 .002"/>
 {posts}
 <geom type="box" size=".026 .008 .008" pos=".028 {-BAR_HALF_LENGTH_M + 0.012} 0" class="solid" group="4"/>
 <geom type="box" size=".026 .008 .008" pos=".028 {BAR_HALF_LENGTH_M - 0.012} 0" class="solid" group="4"/>
 <geom name="drawer_front" type="mesh" mesh="drawer_front" pos="{0.055 + half_x} 0 .018" material="front"
  class="solid"/>
 <geom type="box" size="{depth_m} .006 .052" pos="{box_x} {inner_m} 0" {inside}/>
 <geom type="box" size="{depth_m} .006 .052" pos="{box_x} {-inner_m} 0" {inside}/>
 <geom type="box" size="{depth_m} {inner_m} .004" pos="{box_x} 0 -.050" {inside}/>
 <geom type="box" size=".006 {inner_m} .052" pos="{box_x + depth_m} 0 0" {inside}/>
 <geom type="mesh" mesh="cloth" pos="{box_x - 0.07} -.12 -.022" rgba=".78 .30 .28 1" {look}/>
 <geom type="mesh" mesh="cloth" pos="{box_x - 0.07} -.12 .016" rgba=".90 .86 .78 1" {look}/>
 <geom type="mesh" mesh="cocoa" pos="{box_x - 0.10} .06 -.001" rgba=".35 .55 .42 1" {look}/>
 <geom type="cylinder" size=".034 .04" pos="{box_x - 0.09} .16 -.006" rgba=".25 .42 .62 1" {look}/>
 <geom type="cylinder" size=".030 .002" pos="{box_x - 0.09} .16 .035" rgba=".9 .9 .9 1" {look}/>
</body>"""


def _on_top(middle_x: float) -> str:
    """Books, a plant and a lamp."""
    z_m, look = _TOP_M + 0.014, 'class="scenery"'
    leaves = "".join(
        f'<geom type="ellipsoid" size=".018 .006 .062" pos="{middle_x + 0.05 + 0.035 * np.cos(turn):.4f} '
        f'{0.19 + 0.035 * np.sin(turn):.4f} {z_m + 0.155:.4f}" euler="{-0.5 * np.sin(turn):.3f} '
        f'{0.5 * np.cos(turn):.3f} {turn:.3f}" rgba="{0.22 + 0.05 * (i % 3)} .50 .25 1" {look}/>'
        for i, turn in enumerate(np.linspace(0, 2 * np.pi, 8)[:-1])
    )
    return f"""
 <geom type="cylinder" size=".046 .045" pos="{middle_x + 0.05} .19 {z_m + 0.045}" rgba=".83 .52 .38 1"
  {look}/>
 <geom type="cylinder" size=".040 .002" pos="{middle_x + 0.05} .19 {z_m + 0.090}" rgba=".25 .17 .12 1"
  {look}/>
 {leaves}
 <geom type="mesh" mesh="book" pos="{middle_x - 0.02} -.04 {z_m + 0.014}" rgba=".28 .40 .58 1" {look}/>
 <geom type="mesh" mesh="book" pos="{middle_x - 0.01} -.03 {z_m + 0.042}" euler="0 0 .25" rgba=".80 .62 .25 1"
  {look}/>
 <geom type="cylinder" size=".055 .008" pos="{middle_x + 0.06} -.20 {z_m + 0.008}" material="dark" {look}/>
 <geom type="capsule" size=".007" fromto="{middle_x + 0.06} -.20 {z_m} {middle_x + 0.06} -.20 {z_m + 0.24}"
  material="dark" {look}/>
 <geom type="ellipsoid" size=".070 .070 .055" pos="{middle_x + 0.06} -.20 {z_m + 0.25}" rgba=".96 .90 .76 1"
  {look}/>"""
