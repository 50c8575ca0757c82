"""The toy microwave as MJCF, and where its door and its inside are.

Its frame: x inwards, y left, z up; the origin is in the plane of the opening, at half the opening's width, on
the ground that the microwave stands on. The door is hinged on the left and opens towards the robot.
"""

import numpy as np

HALF_WIDTH_M = 0.092  # of the inside
DEPTH_M = 0.175
HEIGHT_M = 0.170  # over all, feet included
FLOOR_M = 0.021  # top of the turntable
HINGE_Y_M = 0.100
DOOR_WIDTH_M = 0.200
DOOR_FACE_M = 0.020  # from the hinge's plane to the door's outer face
DOOR_RANGE_RAD = 1.95
_CEILING_M = 0.160
_LOW_M = 0.006  # height of the feet


def inside(place_m: np.ndarray, point_m: np.ndarray, *, depth_m: float = 0.0) -> bool:
    """Whether a point (3,) is in the microwave at `place_m` (3,), `depth_m` or more behind its opening."""
    x_m, y_m, z_m = point_m - place_m
    return bool(depth_m <= x_m <= DEPTH_M and abs(y_m) <= HALF_WIDTH_M and 0.0 <= z_m <= _CEILING_M)


def door_frame(place_m: np.ndarray, angle_rad: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hinge, direction from the hinge along the door, and outward normal of the door, (3,) each.

    The hinge's point is at half the door's height.
    """
    hinge_m = place_m + np.array([0.0, HINGE_Y_M, HEIGHT_M / 2])
    along = np.array([-np.sin(angle_rad), -np.cos(angle_rad), 0.0])
    return hinge_m, along, np.array([-np.cos(angle_rad), np.sin(angle_rad), 0.0])


def oven_assets() -> str:
    """Materials of the microwave; a scene colours "oven" and "oven_door"."""
    return (
        '<material name="oven" rgba=".92 .92 .90 1" specular=".5" shininess=".6"/>'
        '<material name="oven_door" rgba=".86 .30 .26 1" specular=".5" shininess=".6"/>'
        '<material name="oven_inside" rgba=".70 .71 .72 1" specular=".2" shininess=".3"/>'
        '<material name="window" rgba=".10 .12 .14 .45" specular=".9" shininess=".9"/>'
    )


def oven_body() -> str:
    """The body "oven" with its child "oven_door" on the joint of the same name."""
    left_m, right_m, panel_m = HALF_WIDTH_M, -HALF_WIDTH_M, 0.050
    outer_left_m, outer_right_m = HINGE_Y_M, right_m - 0.008 - panel_m
    middle_m, half_m = (outer_left_m + outer_right_m) / 2, (outer_left_m - outer_right_m) / 2
    shell, lining = 'material="oven" class="solid"', 'material="oven_inside" class="scenery"'
    half_depth_m, wall_m = (DEPTH_M + 0.008) / 2, 0.004
    wall_z_m, wall_half_m = (_CEILING_M + 0.018) / 2, (_CEILING_M - 0.018) / 2
    panel_y_m = right_m - 0.008 - panel_m / 2
    feet = "".join(
        f'<geom type="cylinder" size=".010 .004" pos="{x} {y} .004" material="dark" class="scenery"/>'
        for x in (0.02, 0.16)
        for y in (outer_left_m - 0.02, outer_right_m + 0.02)
    )
    return f"""
<body name="oven">
 <geom name="oven_floor" type="box" size="{half_depth_m} {half_m} .006" pos="{half_depth_m} {middle_m} .012"
  {shell}/>
 <geom type="box" size="{half_depth_m} {half_m} .005" pos="{half_depth_m} {middle_m} .165" {shell}/>
 <geom type="box" size="{half_depth_m} {wall_m} {wall_half_m}"
  pos="{half_depth_m} {left_m + wall_m} {wall_z_m}" {shell}/>
 <geom type="box" size="{half_depth_m} {panel_m / 2 + wall_m} {wall_half_m}"
  pos="{half_depth_m} {panel_y_m + wall_m} {wall_z_m}" {shell}/>
 <geom type="box" size=".004 {half_m} {wall_half_m}" pos="{DEPTH_M + 0.004} {middle_m} {wall_z_m}" {shell}/>
 <geom type="box" size=".0005 {left_m} {wall_half_m}" pos="{DEPTH_M - 0.001} 0 {wall_z_m}" {lining}/>
 <geom type="box" size="{DEPTH_M / 2} .0005 {wall_half_m}" pos="{DEPTH_M / 2} {left_m} {wall_z_m}" {lining}/>
 <geom type="box" size="{DEPTH_M / 2} .0005 {wall_half_m}" pos="{DEPTH_M / 2} {right_m} {wall_z_m}" {lining}/>
 <geom type="box" size="{DEPTH_M / 2} {left_m} .0005" pos="{DEPTH_M / 2} 0 .0183" {lining}/>
 <geom type="box" size="{DEPTH_M / 2} {left_m} .0005" pos="{DEPTH_M / 2} 0 {_CEILING_M}" {lining}/>
 <geom name="turntable" type="cylinder" size=".072 .001" pos=".086 0 {FLOOR_M - 0.001}" rgba=".86 .90 .92 1"
  class="solid"/>
 <geom class="shadow" size=".066 .066 .0002" pos=".086 0 {FLOOR_M}" rgba="0 0 0 .10"/>
 <geom type="box" size=".002 {panel_m / 2 - 0.004} .062" pos="-.001 {panel_y_m} .090" material="dark"
  class="scenery"/>
 <geom type="box" size=".001 .015 .010" pos="-.003 {panel_y_m} .136" rgba=".25 .75 .55 1" class="scenery"/>
 <geom type="cylinder" size=".014 .006" euler="0 1.5708 0" pos="-.008 {panel_y_m} .102" material="steel"
  class="scenery"/>
 <geom type="box" size=".001 .0015 .006" pos="-.0145 {panel_y_m} .109" material="dark" class="scenery"/>
 <geom type="cylinder" size=".010 .005" euler="0 1.5708 0" pos="-.006 {panel_y_m} .068" material="steel"
  class="scenery"/>
 <geom type="box" size=".003 .014 .007" pos="-.003 {panel_y_m} .042" rgba=".90 .88 .82 1" class="scenery"/>
 {feet}
 <geom class="shadow" size=".105 .14 .0006" pos=".090 {middle_m} 0"/>
 {_door()}
</body>"""


def _door() -> str:
    half_m, y_m = DOOR_WIDTH_M / 2, -DOOR_WIDTH_M / 2
    thick_m, x_m = (DOOR_FACE_M - 0.003) / 2, -(DOOR_FACE_M + 0.003) / 2
    low_m, high_m, rim_m = _LOW_M + 0.002, HEIGHT_M, 0.022
    z_m, tall_m = (low_m + high_m) / 2, (high_m - low_m) / 2
    frame = 'material="oven_door" class="scenery"'
    grip_y_m = -DOOR_WIDTH_M + 0.011
    return f"""
<body name="oven_door" pos="0 {HINGE_Y_M} 0">
 <inertial pos="{x_m} {y_m} {z_m}" mass=".15" diaginertia=".0010 .0004 .0008"/>
 <joint name="oven_door" axis="0 0 -1" range="0 {DOOR_RANGE_RAD}" damping=".05" frictionloss=".04"/>
 <geom name="door_panel" type="box" size="{thick_m} {half_m} {tall_m}" pos="{x_m} {y_m} {z_m}" class="solid"
  group="4"/>
 <geom type="box" size="{thick_m} {half_m} {rim_m / 2}" pos="{x_m} {y_m} {high_m - rim_m / 2}" {frame}/>
 <geom type="box" size="{thick_m} {half_m} {rim_m / 2}" pos="{x_m} {y_m} {low_m + rim_m / 2}" {frame}/>
 <geom type="box" size="{thick_m} {rim_m / 2} {tall_m - rim_m}" pos="{x_m} {-rim_m / 2} {z_m}" {frame}/>
 <geom type="box" size="{thick_m} {rim_m / 2} {tall_m - rim_m}"
  pos="{x_m} {-DOOR_WIDTH_M + rim_m / 2} {z_m}" {frame}/>
 <geom type="box" size=".002 {half_m - rim_m} {tall_m - rim_m}" pos="{x_m} {y_m} {z_m}" material="window"
  class="scenery"/>
 <geom type="capsule" size=".005" fromto="{-DOOR_FACE_M - 0.012} {grip_y_m} {z_m - 0.04}
  {-DOOR_FACE_M - 0.012} {grip_y_m} {z_m + 0.04}" material="steel" class="scenery"/>
 <geom type="capsule" size=".004" fromto="{-DOOR_FACE_M} {grip_y_m} {z_m - 0.036}
  {-DOOR_FACE_M - 0.012} {grip_y_m} {z_m - 0.036}" material="steel" class="scenery"/>
 <geom type="capsule" size=".004" fromto="{-DOOR_FACE_M} {grip_y_m} {z_m + 0.036}
  {-DOOR_FACE_M - 0.012} {grip_y_m} {z_m + 0.036}" material="steel" class="scenery"/>
</body>"""
