"""MJCF of Spot with its arm: a base that glides on the plane, frozen legs, the physical arm and gripper.

Kinematics, masses and joint limits are those of MuJoCo Menagerie's `boston_dynamics_spot` (BSD-3-Clause). The
base moves on three servos (x, y, yaw) instead of on its legs, which are only drawn. What the arm touches
things with are boxes and capsules, the same in every installation, whatever the arm is drawn with.
"""

from dataclasses import dataclass
from pathlib import Path

from theia_sim.scenes.kitchen import rounded
from theia_sim.scenes.spot_meshes import mesh_assets, with_meshes

BODY_HEIGHT_M = 0.463  # of the body's origin over the floor when Spot stands
ARM_JOINTS = ("arm0.sh0", "arm0.sh1", "arm0.el0", "arm0.el1", "arm0.wr0", "arm0.wr1")
GRIPPER_JOINT = "arm0.f1x"
BASE_JOINTS = ("base_x", "base_y", "base_yaw")
ARM_LIMITS_RAD = (
    (-2.618, 3.1416),
    (-3.1416, 0.5236),
    (0.0, 3.1416),
    (-2.7925, 2.7925),
    (-1.8326, 1.8326),
    (-2.8798, 2.8798),
)
GRIPPER_OPEN_RAD = -1.5708
READY_RAD = (0.0, -1.903, 2.688, 0.0, -0.785, 0.0)
STOWED_RAD = (0.0, -3.13, 3.13, 1.57, 0.0, 0.0)
HAND_M = 0.19557  # from the last wrist joint to the frame "hand", along x

_DRIVES = ("kp='2000' kv='120' forcerange='-250 250'",) * 3 + ("kp='800' kv='40' forcerange='-80 80'",) * 3
_HIPS_M = (("fl", 0.29785, 1), ("fr", 0.29785, -1), ("hl", -0.29785, 1), ("hr", -0.29785, -1))
_THIGH_RAD, _KNEE_RAD = 1.04, -1.80
_HIDDEN_GROUP = 3  # of geoms that renderers leave out


@dataclass(frozen=True)
class SpotMjcf:
    """Pieces of MJCF to place into a scene, each where its name says; `body` goes into the world."""

    body: str
    assets: str
    actuators: str
    defaults: str


def spot_mjcf(meshes: Path | None = None) -> SpotMjcf:
    """Spot for a scene, with the camera "policy" on its body and the sites "hand" and "grasp".

    Args:
        meshes: folder of `spot_meshes`, to draw it with these instead of primitives; it moves the same.
    """
    body, assets = _base(_legs() + _arm()), _ASSETS
    if meshes is not None:
        body, assets = with_meshes(body), assets + mesh_assets(meshes)
    return SpotMjcf(
        body=body,
        assets=assets,
        actuators=_actuators(),
        defaults=_DEFAULTS.format(group=2 if meshes is None else _HIDDEN_GROUP),
    )


_DEFAULTS = """
<default class="spot">
 <geom contype="0" conaffinity="0" group="{group}" material="spot_black"/>
 <default class="spot_yellow"><geom material="spot_yellow"/></default>
 <default class="spot_grey"><geom material="spot_grey"/></default>
</default>
<default class="spot_contact">
 <geom group="4" contype="2" conaffinity="1" condim="4" friction="1.0 .02 .002"/>
</default>
"""

_ASSETS = (
    '<material name="spot_black" rgba=".12 .12 .13 1" specular=".4" shininess=".5"/>'
    '<material name="spot_grey" rgba=".30 .31 .33 1" specular=".5" shininess=".6"/>'
    '<material name="spot_yellow" rgba=".93 .72 .18 1" specular=".35" shininess=".5"/>'
    + rounded("spot_torso", (0.43, 0.112, 0.080), 0.045)
    + rounded("spot_flank", (0.30, 0.008, 0.055), 0.007)
    + rounded("spot_back", (0.24, 0.085, 0.012), 0.010)
    + rounded("spot_nose", (0.020, 0.070, 0.055), 0.016)
    + rounded("spot_hip", (0.050, 0.045, 0.042), 0.024)
    + rounded("spot_thigh", (0.046, 0.024, 0.17), 0.020)
    + rounded("spot_thigh_cover", (0.034, 0.010, 0.13), 0.009)
    + rounded("spot_shoulder", (0.062, 0.046, 0.050), 0.030)
    + rounded("spot_upper_cover", (0.115, 0.040, 0.016), 0.014)
    + rounded("spot_elbow", (0.046, 0.045, 0.056), 0.028)
    + rounded("spot_fore_cover", (0.105, 0.020, 0.036), 0.016)
    + rounded("spot_wrist", (0.046, 0.033, 0.036), 0.020)
    + rounded("spot_palm", (0.044, 0.042, 0.034), 0.016)
    + rounded("spot_palm_cover", (0.034, 0.042, 0.012), 0.010)
    + rounded("spot_jaw", (0.030, 0.036, 0.010), 0.006)
    + rounded("spot_jaw_tip", (0.022, 0.015, 0.010), 0.006)
    + rounded("spot_finger", (0.036, 0.045, 0.020), 0.012)
    + rounded("spot_finger_tip", (0.034, 0.034, 0.011), 0.007)
)


def _base(carried: str) -> str:
    return f"""
<body name="body" pos="0 0 {BODY_HEIGHT_M}" childclass="spot">
 <inertial pos="0 0 0" mass="50.3" diaginertia=".9 2.6 2.8"/>
 <joint name="base_x" type="slide" axis="1 0 0"/><joint name="base_y" type="slide" axis="0 1 0"/>
 <joint name="base_yaw" axis="0 0 1"/>
 <camera name="policy" fovy="60"/>
 <geom type="mesh" mesh="spot_torso"/>
 <geom type="mesh" mesh="spot_flank" pos="0 .112 .005" class="spot_yellow"/>
 <geom type="mesh" mesh="spot_flank" pos="0 -.112 .005" class="spot_yellow"/>
 <geom type="mesh" mesh="spot_back" pos="-.10 0 .080" class="spot_yellow"/>
 <geom type="mesh" mesh="spot_nose" pos=".424 0 .002" class="spot_grey"/>
 <geom type="cylinder" size=".013 .004" euler="0 1.5708 0" pos=".444 .04 .02" rgba=".05 .06 .09 1"/>
 <geom type="cylinder" size=".013 .004" euler="0 1.5708 0" pos=".444 -.04 .02" rgba=".05 .06 .09 1"/>
 <geom type="box" size=".44 .115 .09" class="spot_contact"/>
 <geom class="shadow" size=".42 .17 .0006" pos="0 0 {0.012 - BODY_HEIGHT_M}"/>
 {carried}
</body>"""


def _legs() -> str:
    """Four legs in the standing pose; they are drawn, and touch nothing."""
    legs = ""
    for name, x_m, side in _HIPS_M:
        front = 1 if x_m > 0 else -1
        legs += f"""
<body name="{name}_hip" pos="{x_m} {0.055 * side} 0">
 <geom type="mesh" mesh="spot_hip" pos="{-0.03 * front} {0.008 * side} 0"/>
 <geom type="cylinder" size=".046 .032" euler="1.5708 0 0" pos="0 {0.055 * side} 0" class="spot_grey"/>
 <body name="{name}_uleg" pos="0 {0.1108 * side} 0" euler="0 {_THIGH_RAD} 0">
  <geom type="mesh" mesh="spot_thigh" pos="0 {0.008 * side} -.145"/>
  <geom type="mesh" mesh="spot_thigh_cover" pos="-.006 {0.034 * side} -.13" class="spot_yellow"/>
  <body name="{name}_lleg" pos=".025 0 -.32" euler="0 {_KNEE_RAD} 0">
   <geom type="capsule" size=".018" fromto="0 0 0 .026 0 -.14"/>
   <geom type="capsule" size=".014" fromto=".026 0 -.14 .020 0 -.27"/>
   <geom type="capsule" size=".013" fromto=".020 0 -.27 0 0 -.335"/>
   <geom type="sphere" size=".030" pos="0 0 -.3365"/>
  </body>
 </body>
</body>"""
    return legs


def _joint(place: int, axis: str) -> str:
    low, high = ARM_LIMITS_RAD[place]
    return f'<joint name="{ARM_JOINTS[place]}" axis="{axis}" range="{low} {high}" damping="2" armature=".1"/>'


def _arm() -> str:
    """The arm from its shoulder outwards; `gravcomp` stands for the robot's own gravity compensation."""
    fifth_turn = 0.27  # the finger's underside falls off by this angle towards its tip
    finger = f"""
<body name="arm_link_fngr" pos=".11745 0 .01482" gravcomp="1">
 <inertial pos=".0479 0 -.0163" mass=".2" diaginertia="4e-4 3e-4 1.5e-4"/>
 <joint name="{GRIPPER_JOINT}" axis="0 1 0" range="{GRIPPER_OPEN_RAD} 0" damping=".3" armature=".01"/>
 <geom type="mesh" mesh="spot_finger" pos=".024 0 -.008" euler="0 .15 0"/>
 <geom type="mesh" mesh="spot_finger_tip" pos=".088 0 -.036" euler="0 .42 0" class="spot_yellow"/>
 <geom type="capsule" size=".010" fromto="0 -.044 0 0 .044 0" class="spot_grey"/>
 <geom type="box" size=".006 .024 .010" pos=".110 0 -.046" euler="0 .3 0" class="spot_grey"/>
 <geom name="finger" type="box" size=".055 .036 .012" pos=".068 0 -.030" euler="0 {fifth_turn} 0"
  class="spot_contact"/>
 <geom name="finger_tip" type="box" size=".008 .026 .010" pos=".113 0 -.049" class="spot_contact"/>
</body>"""
    hand = f"""
<body name="arm_link_wr1" gravcomp="1">
 <inertial pos=".125 0 -.014" mass=".785" diaginertia="1.8e-3 1.7e-3 8e-4"/>
 {_joint(5, "1 0 0")}
 <site name="hand" pos="{HAND_M} 0 0" size=".003" rgba="0 0 0 0"/>
 <site name="grasp" pos=".200 0 -.026" size=".003" rgba="0 0 0 0"/>
 <geom type="cylinder" size=".037 .012" euler="0 1.5708 0" pos=".062 0 0" class="spot_grey"/>
 <geom type="mesh" mesh="spot_palm" pos=".102 0 .003"/>
 <geom type="mesh" mesh="spot_palm_cover" pos=".110 0 -.046" class="spot_yellow"/>
 <geom type="mesh" mesh="spot_jaw" pos=".166 0 -.047"/>
 <geom type="mesh" mesh="spot_jaw_tip" pos=".213 0 -.047" class="spot_yellow"/>
 <geom name="palm" type="box" size=".042 .041 .048" pos=".100 0 -.012" class="spot_contact"/>
 <geom name="jaw" type="box" size=".034 .034 .012" pos=".168 0 -.048" class="spot_contact"/>
 <geom name="jaw_tip" type="box" size=".018 .015 .012" pos=".218 0 -.048" class="spot_contact"/>
 <geom name="jaw_tooth" type="box" size=".004 .012 .004" pos=".2235 0 -.036" class="spot_contact"/>
 {finger}
</body>"""
    wrist = f"""
<body name="arm_link_wr0" gravcomp="1">
 <inertial pos=".0082 -.012 0" mass=".98" diaginertia="1.2e-3 1e-3 9e-4"/>
 {_joint(4, "0 1 0")}
 <geom type="mesh" mesh="spot_wrist" pos=".004 -.006 0"/>
 <geom type="cylinder" size=".034 .012" euler="1.5708 0 0" pos="0 -.052 0" class="spot_grey"/>
 <geom type="box" size=".045 .05 .037" pos=".005 -.012 0" class="spot_contact"/>
 {hand}
</body>"""
    forearm = f"""
<body name="arm_link_el1" pos=".4033 0 .075" gravcomp="1">
 <inertial pos="-.126 -.0137 0" mass=".725" diaginertia="4.5e-3 4.4e-3 6e-4"/>
 {_joint(3, "1 0 0")}
 <geom type="cylinder" size=".038 .028" euler="0 1.5708 0" pos="-.236 0 0" class="spot_grey"/>
 <geom type="capsule" size=".030" fromto="-.23 -.004 0 -.06 -.004 0"/>
 <geom type="mesh" mesh="spot_fore_cover" pos="-.150 .017 0" class="spot_yellow"/>
 <geom type="box" size=".046 .009 .032" pos="-.012 -.060 0"/>
 <geom type="capsule" size=".036" fromto="-.23 0 0 -.05 0 0" class="spot_contact"/>
 {wrist}
</body>"""
    elbow = f"""
<body name="arm_link_el0" pos=".3385 0 0" gravcomp="1">
 <inertial pos=".0554 0 .0483" mass=".725" diaginertia="2e-3 2e-3 8e-4"/>
 {_joint(2, "0 1 0")}
 <geom type="cylinder" size=".030 .045" euler="1.5708 0 0" class="spot_grey"/>
 <geom type="mesh" mesh="spot_elbow" pos=".030 0 .045" euler="0 .6 0"/>
 <geom type="cylinder" size=".038 .030" euler="0 1.5708 0" pos=".100 0 .074"/>
 <geom type="box" size=".05 .045 .045" pos=".055 0 .06" class="spot_contact"/>
 {forearm}
</body>"""
    upper = f"""
<body name="arm_link_sh1" gravcomp="1">
 <inertial pos=".17 0 0" mass=".26" diaginertia="2e-3 2e-3 4e-4"/>
 {_joint(1, "0 1 0")}
 <geom type="capsule" size=".033" fromto="0 0 0 .32 0 0"/>
 <geom type="mesh" mesh="spot_upper_cover" pos=".188 0 -.026" class="spot_yellow"/>
 <geom type="capsule" size=".036" fromto="0 0 0 .33 0 0" class="spot_contact"/>
 {elbow}
</body>"""
    return f"""
<body name="arm_link_sh0" pos=".292 0 .188" gravcomp="1">
 <inertial pos="-.0124 0 -.021" mass="2.336" diaginertia="9e-3 7.8e-3 5.8e-3"/>
 {_joint(0, "0 0 1")}
 <geom type="cylinder" size=".060 .022" pos="0 0 -.086" class="spot_grey"/>
 <geom type="mesh" mesh="spot_shoulder" pos="-.014 0 -.020"/>
 <geom type="cylinder" size=".050 .026" euler="1.5708 0 0" pos="0 .072 0" class="spot_grey"/>
 <geom type="cylinder" size=".050 .026" euler="1.5708 0 0" pos="0 -.072 0" class="spot_grey"/>
 {upper}
</body>"""


def _actuators() -> str:
    arm = "".join(
        f'<position name="{name}" joint="{name}" {drive}/>'
        for name, drive in zip(ARM_JOINTS, _DRIVES, strict=True)
    )
    return (
        '<position name="base_x" joint="base_x" kp="40000" kv="3000" forcerange="-400 400"/>'
        '<position name="base_y" joint="base_y" kp="40000" kv="3000" forcerange="-400 400"/>'
        '<position name="base_yaw" joint="base_yaw" kp="8000" kv="350" forcerange="-200 200"/>'
        + arm
        + f'<position name="{GRIPPER_JOINT}" joint="{GRIPPER_JOINT}" kp="60" kv="1" forcerange="-12 12"/>'
    )
