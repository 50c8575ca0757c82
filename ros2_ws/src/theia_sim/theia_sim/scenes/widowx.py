"""MJCF of the WidowX 250s: kinematics from the robot profile, masses from the Interbotix description.

The arm's joints are position servos (X-series motors in position mode); the fingers are driven by a force
proportional to the gripper's PWM against heavy damping, so that they move at about 6 cm/s and keep pushing,
as the PWM gripper of xs_sdk does.
"""

from dataclasses import dataclass

from theia_core.actions.profile import RobotProfile
from theia_sim.scenes.assets import widowx_mesh_folder

PWM_TO_NEWTON = 0.03
FINGER_DAMPING = 150.0
SERVO_KP, SERVO_KV = 300.0, 20.0


@dataclass(frozen=True)
class _Link:
    """The body behind one joint: mass [kg], centre of mass, effort limit [Nm], mesh and the mesh's pose."""

    mass: float
    com: str
    effort: float
    mesh: str
    euler: str
    pos: str
    primitive: str


_QUARTER = "0 0 1.5707963"
_LINKS = (
    _Link(0.481, "0 0 .0066", 20, "2_shoulder", _QUARTER, "0 0 -.003", 'type="cylinder" size=".035 .035"'),
    _Link(
        0.431,
        ".0172 0 .1913",
        40,
        "3_upper_arm",
        _QUARTER,
        "0 0 0",
        'type="capsule" size=".025" fromto="0 0 0 0 0 .25"',
    ),
    _Link(
        0.235,
        ".108 0 0",
        30,
        "4_upper_forearm",
        "0 0 0",
        "0 0 0",
        'type="capsule" size=".022" fromto="0 0 0 .16 0 0"',
    ),
    _Link(
        0.221,
        ".0374 .0052 0",
        10,
        "5_lower_forearm",
        "3.1415927 0 0",
        "0 0 0",
        'type="capsule" size=".022" fromto="0 0 0 .07 0 0"',
    ),
    _Link(
        0.085,
        ".0424 0 .0106",
        10,
        "6_wrist",
        _QUARTER,
        "0 0 0",
        'type="capsule" size=".02" fromto="0 0 0 .06 0 0"',
    ),
    _Link(
        0.110,
        ".0216 0 .0114",
        6,
        "7_gripper",
        _QUARTER,
        "-.02 0 0",
        'type="box" size=".03 .045 .02" pos=".02 0 0"',
    ),
)


@dataclass(frozen=True)
class ArmMjcf:
    """Pieces of MJCF to place into a scene, each where its name says; `body` goes to the arm's base."""

    body: str
    assets: str
    actuators: str
    equality: str
    defaults: str
    has_meshes: bool


def widowx_mjcf(profile: RobotProfile) -> ArmMjcf:
    """The arm for a scene; without the mesh package it is drawn with primitives and moves the same."""
    folder = widowx_mesh_folder()

    def visual(mesh: str, euler: str, pos: str, primitive: str) -> str:
        if folder is None:
            return f'<geom {primitive} class="arm_visual"/>'
        return f'<geom type="mesh" mesh="{mesh}" euler="{euler}" pos="{pos}" class="arm_visual"/>'

    body = (
        visual("9_gripper_bar", _QUARTER, "-.02 0 0", 'type="box" size=".012 .05 .012" pos=".045 0 0"')
        + '<geom name="palm" type="box" size=".012 .045 .014" pos=".045 0 0" class="arm_contact"/>'
        + f'<site name="tcp" pos="{_numbers(profile.tool_offset_m)}" size=".003" rgba="0 0 0 0"/>'
    )
    low, high = profile.finger_range_m
    for side, sign in (("left", 1), ("right", -1)):
        limits = (low, high) if sign > 0 else (-high, -low)
        euler = "3.1415927 3.1415927 0" if sign > 0 else "0 3.1415927 0"
        primitive = f'type="box" size=".02 .006 .012" pos=".026 {-0.009 * sign} 0"'
        body += (
            f'<body name="{side}_finger" pos=".066 0 0">'
            '<inertial pos=".014 0 0" mass=".016" diaginertia="5e-6 5e-6 5e-6"/>'
            f'<joint name="{side}_finger" type="slide" axis="0 1 0" range="{limits[0]} {limits[1]}" '
            f'damping="{FINGER_DAMPING}" armature=".05" solreflimit=".005 1"/>'
            + visual("10_gripper_finger", euler, f"0 {0.005 * sign} 0", primitive).replace(
                "arm_visual", "finger_visual"
            )
            + f'<geom name="{side}_pad" type="box" size=".018 .005 .011" pos=".026 {-0.009 * sign} 0" '
            'class="pad"/>'
            "</body>"
        )
    for index in reversed(range(len(_LINKS))):
        link, chain = _LINKS[index], profile.chain[index]
        limits = (profile.joint_lower_rad[index], profile.joint_upper_rad[index])
        body = (
            f'<body name="{chain.joint}_link" pos="{_numbers(chain.offset_m)}" gravcomp="1">'
            f'<inertial pos="{link.com}" mass="{link.mass}" diaginertia="1e-3 1e-3 1e-3"/>'
            f'<joint name="{chain.joint}" axis="{_numbers(chain.axis)}" range="{limits[0]} {limits[1]}" '
            'damping="2" armature=".05"/>'
            + visual(link.mesh, link.euler, link.pos, link.primitive)
            + f"{body}</body>"
        )
    body = visual("1_base", _QUARTER, "0 0 0", 'type="cylinder" size=".06 .036" pos="0 0 .036"') + body
    names = ["1_base", *(link.mesh for link in _LINKS), "9_gripper_bar", "10_gripper_finger"]
    assets = "" if folder is None else "".join(_mesh(name, folder / f"wx250s_{name}.stl") for name in names)
    actuators = "".join(
        f'<position name="{chain.joint}" joint="{chain.joint}" kp="{SERVO_KP}" kv="{SERVO_KV}" '
        f'forcerange="{-link.effort} {link.effort}"/>'
        for chain, link in zip(profile.chain, _LINKS, strict=True)
    )
    actuators += "".join(
        f'<motor name="{side}_finger" joint="{side}_finger" gear="{sign * PWM_TO_NEWTON}"/>'
        for side, sign in (("left", 1), ("right", -1))
    )
    return ArmMjcf(
        body=body,
        assets=assets + '<material name="arm" rgba=".11 .11 .125 1" specular=".5" shininess=".55"/>'
        '<material name="finger" rgba=".36 .37 .40 1" specular=".3" shininess=".3"/>',
        actuators=actuators,
        equality='<joint joint1="left_finger" joint2="right_finger" polycoef="0 -1 0 0 0" solref=".004 1"/>',
        defaults=(
            '<default class="arm_visual">'
            '<geom contype="0" conaffinity="0" group="2" material="arm"/></default>'
            '<default class="finger_visual">'
            '<geom contype="0" conaffinity="0" group="2" material="finger"/></default>'
            '<default class="arm_contact"><geom group="4" contype="2" conaffinity="1"/></default>'
            '<default class="pad">'
            '<geom group="4" contype="2" conaffinity="1" condim="6" friction="1.2 .02 .002"/></default>'
        ),
        has_meshes=folder is not None,
    )


def _mesh(name: str, path: object) -> str:
    return f'<mesh name="{name}" file="{path}" scale=".001 .001 .001"/>'


def _numbers(vector: object) -> str:
    return " ".join(f"{value:.9g}" for value in vector)  # type: ignore[attr-defined]
