"""The toy kitchen around the robot as MJCF: room, counter with sink and stove, shelf, shared pieces.

Frame: the arm's base_link at its nominal height of 0.43 m over the floor; x to the kitchen, y left, z up.
Everything but the robot's own table hangs on one body, which a scene moves to vary the base's height and its
place along the kitchen.
"""

from theia_sim.scenes.assets import rounded_box_vertices
from theia_sim.scenes.textures import kitchen_textures

NOMINAL_BASE_HEIGHT_M = 0.43
FRONT_X_M = 0.435  # front plane of counter and fridge

TEXTURES = kitchen_textures

ASSETS = """
<texture name="sky" type="skybox" builtin="gradient" rgb1=".93 .95 .97" rgb2=".75 .78 .82" width="128"
 height="128"/>
<texture name="wood" type="2d" file="wood.png"/><texture name="floor" type="2d" file="floor.png"/>
<texture name="tiles" type="2d" file="tiles.png"/><texture name="wall" type="2d" file="wall.png"/>
<texture name="stone" type="2d" file="stone.png"/>
<material name="wood" texture="wood" texrepeat="3 3" texuniform="true" specular=".25" shininess=".3"/>
<material name="floor" texture="floor" texrepeat="1.6 1.6" texuniform="true" specular=".1" shininess=".1"/>
<material name="tiles" texture="tiles" texrepeat="3.2 3.2" texuniform="true" specular=".5" shininess=".7"/>
<material name="wall" texture="wall" texrepeat="2 2" texuniform="true" specular="0"/>
<material name="stone" texture="stone" texrepeat="4 4" texuniform="true" specular=".4" shininess=".5"/>
<material name="cabinet" rgba=".93 .90 .83 1" specular=".3" shininess=".4"/>
<material name="steel" rgba=".78 .80 .82 1" specular=".9" shininess=".8" reflectance="0"/>
<material name="dark" rgba=".13 .13 .14 1" specular=".4" shininess=".5"/>
<material name="white" rgba=".95 .95 .93 1" specular=".5" shininess=".6"/>
<material name="black_wood" rgba=".20 .19 .18 1" specular=".2" shininess=".2"/>
"""

DEFAULTS = """
<default class="scenery"><geom contype="0" conaffinity="0" group="1"/></default>
<default class="solid"><geom contype="1" conaffinity="2" group="1"/></default>
<default class="shadow">
 <geom type="ellipsoid" contype="0" conaffinity="0" group="1" rgba="0 0 0 .28"/>
</default>
"""


def rounded(name: str, half_size_m: tuple[float, float, float], radius_m: float) -> str:
    """Mesh asset of a box with rounded edges."""
    return f'<mesh name="{name}" vertex="{rounded_box_vertices(half_size_m, radius_m)}"/>'


def kitchen_assets() -> str:
    """Materials, textures and meshes that every kitchen scene needs."""
    return (
        ASSETS
        + rounded("cabinet_door", (0.008, 0.092, 0.13), 0.006)
        + rounded("jar", (0.020, 0.020, 0.027), 0.008)
        + rounded("toaster", (0.04, 0.055, 0.035), 0.018)
        + rounded("stove_plate", (0.075, 0.085, 0.006), 0.005)
    )


def robot_table() -> str:
    """The stand that the arm is bolted to; it moves with the base."""
    return (
        '<geom type="box" size=".20 .16 .012" pos="-.02 0 -.013" material="black_wood" class="scenery"/>'
        '<geom type="box" size=".14 .10 .40" pos="-.04 0 -.42" material="dark" class="scenery"/>'
        '<geom class="shadow" size=".11 .09 .0006" pos="0 0 0"/>'
    )


def room() -> str:
    """Floor, wall and skirting."""
    return f"""
<geom type="plane" size="2 2 .1" pos="0 0 {-NOMINAL_BASE_HEIGHT_M}" material="floor" class="scenery"/>
<geom type="box" size=".9 1.6 .01" euler="0 1.5708 0" pos=".668 0 .47" material="wall" class="scenery"/>
<geom type="box" size=".012 1.6 .03" pos=".655 0 -.40" material="white" class="scenery"/>
"""


def fridge_stand() -> str:
    """The cabinet that the fridge stands on."""
    return f"""
<geom type="box" size=".105 .105 .205" pos=".54 -.018 -.215" material="cabinet" class="solid"/>
<geom type="box" size=".115 .108 .010" pos=".535 -.018 0" material="wood" class="solid"/>
<geom type="mesh" mesh="cabinet_door" pos="{FRONT_X_M - 0.004} -.018 -.16" material="white" class="scenery"/>
<geom type="capsule" size=".004 .03" pos="{FRONT_X_M - 0.022} .045 -.10" material="steel" class="scenery"/>
"""


def counter_left() -> str:
    """Cabinet with wooden top, sink, tap and stove, tiles behind and a shelf above, y from 0.10 to 0.62."""
    return f"""
<geom type="box" size=".10 .26 .275" pos=".545 .36 -.155" material="cabinet" class="solid"/>
<geom type="box" size=".115 .27 .012" pos=".54 .36 .132" material="wood" class="solid"/>
<geom type="mesh" mesh="cabinet_door" pos="{FRONT_X_M + 0.006} .235 -.03" material="white" class="scenery"/>
<geom type="mesh" mesh="cabinet_door" pos="{FRONT_X_M + 0.006} .435 -.03" material="white" class="scenery"/>
<geom type="capsule" size=".004 .03" pos="{FRONT_X_M - 0.012} .30 .02" material="steel" class="scenery"/>
<geom type="capsule" size=".004 .03" pos="{FRONT_X_M - 0.012} .37 .02" material="steel" class="scenery"/>
<geom type="box" size=".13 .27 .004" euler="0 1.5708 0" pos=".654 .36 .27" material="tiles" class="scenery"/>
<geom type="mesh" mesh="stove_plate" pos=".535 .205 .148" material="dark" class="scenery"/>
<geom type="cylinder" size=".030 .003" pos=".505 .175 .155" material="steel" class="scenery"/>
<geom type="cylinder" size=".022 .0035" pos=".505 .175 .155" rgba=".55 .18 .12 1" class="scenery"/>
<geom type="cylinder" size=".030 .003" pos=".570 .238 .155" material="steel" class="scenery"/>
<geom type="cylinder" size=".022 .0035" pos=".570 .238 .155" rgba=".2 .2 .2 1" class="scenery"/>
<geom type="box" size=".066 .078 .0015" pos=".535 .425 .1445" rgba=".45 .47 .49 1" class="scenery"/>
<geom type="box" size=".070 .004 .006" pos=".535 .345 .148" material="steel" class="scenery"/>
<geom type="box" size=".070 .004 .006" pos=".535 .505 .148" material="steel" class="scenery"/>
<geom type="box" size=".004 .084 .006" pos=".467 .425 .148" material="steel" class="scenery"/>
<geom type="box" size=".004 .084 .006" pos=".603 .425 .148" material="steel" class="scenery"/>
<geom type="capsule" size=".006" fromto=".622 .425 .145 .622 .425 .235" material="steel" class="scenery"/>
<geom type="capsule" size=".006" fromto=".622 .425 .235 .56 .425 .245" material="steel" class="scenery"/>
<geom type="capsule" size=".006" fromto=".56 .425 .245 .553 .425 .222" material="steel" class="scenery"/>
<geom type="box" size=".05 .22 .008" pos=".60 .36 .40" material="wood" class="scenery"/>
{_jar(0.60, 0.20, 0.408, ".75 .16 .14 1")}
{_jar(0.60, 0.27, 0.408, ".92 .66 .15 1")}
{_mug(0.595, 0.37, 0.408, ".25 .45 .62 1")}
{_mug(0.60, 0.46, 0.408, ".90 .88 .80 1")}
<geom class="shadow" size=".02 .16 .0006" pos=".645 .36 .145"/>
"""


def corner_right() -> str:
    """Low cabinet at the right of the fridge with a bowl of fruit and a plant, y below -0.16."""
    return f"""
<geom type="box" size=".10 .20 .24" pos=".545 -.38 -.19" material="cabinet" class="scenery"/>
<geom type="box" size=".115 .21 .012" pos=".54 -.38 .062" material="stone" class="scenery"/>
<geom type="mesh" mesh="cabinet_door" pos="{FRONT_X_M + 0.006} -.285 -.09" material="white" class="scenery"/>
<geom type="mesh" mesh="cabinet_door" pos="{FRONT_X_M + 0.006} -.48 -.09" material="white" class="scenery"/>
<geom type="capsule" size=".004 .03" pos="{FRONT_X_M - 0.012} -.355 -.04" material="steel" class="scenery"/>
<geom type="ellipsoid" size=".065 .065 .026" pos=".545 -.27 .098" rgba=".35 .55 .58 1" class="scenery"/>
<geom type="sphere" size=".026" pos=".525 -.255 .128" rgba=".80 .14 .12 1" class="scenery"/>
<geom type="sphere" size=".026" pos=".565 -.29 .126" rgba=".93 .58 .12 1" class="scenery"/>
<geom type="sphere" size=".025" pos=".575 -.245 .124" rgba=".55 .72 .20 1" class="scenery"/>
<geom class="shadow" size=".06 .06 .0006" pos=".545 -.27 .0745"/>
<geom type="mesh" mesh="toaster" pos=".56 -.43 .109" rgba=".80 .35 .28 1" class="scenery"/>
<geom type="box" size=".006 .04 .002" pos=".56 -.43 .1435" rgba=".1 .1 .1 1" class="scenery"/>
<geom class="shadow" size=".055 .075 .0006" pos=".56 -.43 .0745"/>
<geom type="box" size=".16 .21 .004" euler="0 1.5708 0" pos=".654 -.38 .235" material="tiles"
 class="scenery"/>
"""


def _jar(x_m: float, y_m: float, z_m: float, rgba: str) -> str:
    return (
        f'<geom type="mesh" mesh="jar" pos="{x_m} {y_m} {z_m + 0.027}" rgba="{rgba}" class="scenery"/>'
        f'<geom type="cylinder" size=".019 .005" pos="{x_m} {y_m} {z_m + 0.057}" material="steel" '
        'class="scenery"/>'
    )


def _mug(x_m: float, y_m: float, z_m: float, rgba: str) -> str:
    return (
        f'<geom type="cylinder" size=".023 .026" pos="{x_m} {y_m} {z_m + 0.026}" rgba="{rgba}" '
        'class="scenery"/>'
        f'<geom type="cylinder" size=".020 .001" pos="{x_m} {y_m} {z_m + 0.0525}" rgba=".25 .16 .1 1" '
        'class="scenery"/>'
        f'<geom type="capsule" size=".0035" fromto="{x_m - 0.02} {y_m - 0.012} {z_m + 0.04} '
        f'{x_m - 0.034} {y_m - 0.018} {z_m + 0.026}" rgba="{rgba}" class="scenery"/>'
        f'<geom type="capsule" size=".0035" fromto="{x_m - 0.034} {y_m - 0.018} {z_m + 0.026} '
        f'{x_m - 0.02} {y_m - 0.012} {z_m + 0.012}" rgba="{rgba}" class="scenery"/>'
    )
