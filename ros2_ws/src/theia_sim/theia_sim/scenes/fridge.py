"""The toy fridge as MJCF: hollow body with food in it, fixed freezer door, hinged door with a bar handle."""

import numpy as np

from theia_sim.scenes.kitchen import rounded

HINGE_M = np.array([0.43, -0.10, 0.20])  # axis of the door at half its height, at the nominal base
BAR_RADIUS_M = 0.138  # from the hinge to the bar, along the door
BAR_STANDOFF_M = 0.060  # from the hinge's plane to the bar, outwards
BAR_HALF_LENGTH_M = 0.045
MIDDLE_FROM_HINGE_M = 0.082  # of the fridge, along its front


def bar_position(kitchen_m: np.ndarray, angle_rad: float) -> np.ndarray:
    """Centre of the bar (3,) in base_link: kitchen moved by `kitchen_m` (3,), door open by `angle_rad`."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    out, along = -BAR_STANDOFF_M, BAR_RADIUS_M
    return HINGE_M + kitchen_m + np.array([cos * out - sin * along, sin * out + cos * along, 0.0])


def fridge_assets() -> str:
    """Meshes and materials of the fridge."""
    return (
        rounded("fridge_door", (0.010, 0.077, 0.118), 0.008)
        + rounded("freezer_door", (0.010, 0.087, 0.048), 0.008)
        + rounded("fridge_side", (0.102, 0.007, 0.200), 0.005)
        + rounded("fridge_lid", (0.104, 0.094, 0.008), 0.007)
        + rounded("carton", (0.017, 0.017, 0.035), 0.003)
        + '<material name="fridge" rgba=".80 .22 .20 1" specular=".6" shininess=".7"/>'
        + '<material name="fridge_body" rgba=".93 .93 .90 1" specular=".5" shininess=".6"/>'
    )


def fridge_body() -> str:
    """Bodies of the fridge, to place into the kitchen's body."""
    x, y, z = HINGE_M
    middle_y = y + MIDDLE_FROM_HINGE_M
    solid = 'material="fridge_body" class="solid"'
    bar_x, half = -BAR_STANDOFF_M, BAR_HALF_LENGTH_M
    return f"""
<body name="fridge" pos="{x} {middle_y} {z}">
 <geom type="mesh" mesh="fridge_side" pos=".102 -.090 .03" {solid}/>
 <geom type="mesh" mesh="fridge_side" pos=".102 .090 .03" {solid}/>
 <geom type="mesh" mesh="fridge_lid" pos=".102 0 .235" {solid}/>
 <geom type="mesh" mesh="fridge_lid" pos=".102 0 -.135" {solid}/>
 <geom type="box" size=".005 .088 .19" pos=".200 0 .03" {solid}/>
 <geom type="box" size=".085 .085 .004" pos=".110 0 .125" {solid}/>
 <geom type="box" size=".075 .083 .002" pos=".115 0 .015" rgba=".75 .85 .90 1" class="scenery"/>
 <geom type="box" size=".095 .097 .02" pos=".110 0 -.165" material="dark" class="scenery"/>
 <geom type="mesh" mesh="freezer_door" pos="-.002 0 .178" material="fridge" class="solid"/>
 <geom type="capsule" size=".005" fromto="-.04 .055 .150 -.04 .055 .200" material="steel" class="scenery"/>
 <geom type="capsule" size=".004" fromto="-.04 .055 .155 -.01 .055 .155" material="steel" class="scenery"/>
 <geom type="capsule" size=".004" fromto="-.04 .055 .195 -.01 .055 .195" material="steel" class="scenery"/>
 <geom type="ellipsoid" size=".002 .018 .007" pos="-.013 -.045 .190" material="steel" class="scenery"/>
 <geom type="mesh" mesh="carton" pos=".10 -.045 .052" rgba=".95 .95 .98 1" class="scenery"/>
 <geom type="box" size=".0172 .0172 .012" pos=".10 -.045 .050" rgba=".20 .40 .75 1" class="scenery"/>
 <geom type="cylinder" size=".015 .028" pos=".10 .005 .045" rgba=".85 .65 .15 1" class="scenery"/>
 <geom type="cylinder" size=".008 .008" pos=".10 .005 .080" rgba=".85 .2 .15 1" class="scenery"/>
 <geom type="sphere" size=".020" pos=".09 .052 .037" rgba=".45 .65 .2 1" class="scenery"/>
 <geom type="sphere" size=".022" pos=".09 -.045 -.105" rgba=".85 .2 .12 1" class="scenery"/>
 <geom type="sphere" size=".022" pos=".10 .005 -.105" rgba=".95 .6 .15 1" class="scenery"/>
 <geom type="ellipsoid" size=".02 .028 .018" pos=".10 .055 -.108" rgba=".35 .55 .2 1" class="scenery"/>
 <geom type="box" size=".003 .010 .118" pos=".003 -.092 0" rgba=".82 .82 .80 1" class="scenery"/>
 <geom class="shadow" size=".03 .095 .0006" pos=".005 0 -.1842"/>
</body>
<body name="door" pos="{x} {y} {z}">
 <inertial pos="-.01 .075 0" mass=".4" diaginertia=".002 .002 .002"/>
 <joint name="door" axis="0 0 1" range="0 1.95" damping=".06" frictionloss=".08"/>
 <geom type="mesh" mesh="fridge_door" pos="-.012 .077 0" material="fridge" class="solid"/>
 <geom type="box" size=".002 .068 .108" pos="-.001 .077 0" material="white" class="scenery"/>
 <geom type="box" size=".010 .056 .012" pos=".010 .080 -.05" rgba=".85 .9 .93 1" class="scenery"/>
 <geom name="bar" type="capsule" size=".007 {half}" pos="{bar_x} {BAR_RADIUS_M} 0" material="steel"
  class="solid"
  condim="6" friction="1.2 .02 .002"/>
 <geom type="capsule" size=".0055" fromto="-.018 {BAR_RADIUS_M} {half} {bar_x} {BAR_RADIUS_M} {half}"
  material="steel" class="solid"/>
 <geom type="capsule" size=".0055" fromto="-.018 {BAR_RADIUS_M} {-half} {bar_x} {BAR_RADIUS_M} {-half}"
  material="steel" class="solid"/>
 <geom type="cylinder" size=".011 .002" euler="0 1.5708 0" pos="-.023 .045 .065" rgba=".95 .80 .15 1"
  class="scenery"/>
 <geom type="cylinder" size=".009 .002" euler="0 1.5708 0" pos="-.023 .080 .080" rgba=".25 .55 .85 1"
  class="scenery"/>
 <geom type="box" size=".0015 .018 .013" pos="-.0225 .055 .010" rgba=".97 .96 .90 1" class="scenery"/>
</body>
"""
