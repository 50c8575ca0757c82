"""The WidowX 250s as a MuJoCo body tree: kinematics and masses of the vendor's URDF, servos, PWM gripper.

The look comes from the vendor's meshes where they are installed and from the collision primitives otherwise;
what touches the world is the same primitives in both cases, so physics does not depend on the meshes.
"""

from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

ARM_JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate")
JOINT_NAMES = (*ARM_JOINTS, "gripper", "left_finger", "right_finger")
JOINT_LIMITS_RAD = np.array(
    [
        (-3.14158, 3.14158),
        (-1.88496, 1.98968),
        (-2.14675, 1.6057),
        (-3.14158, 3.14158),
        (-1.74533, 2.14675),
        (-3.14158, 3.14158),
    ]
)
FINGER_RANGE_M = (0.015, 0.037)
NEUTRAL_RAD = np.array([-0.1319, -0.7624, 0.4449, -0.0199, 1.7564, -0.1595])
SLEEP_RAD = np.array([0.0, -1.80, 1.55, 0.0, 0.8, 0.0])

PWM_LIMIT = 350.0
"""xs_sdk's useful range is 150 to 350 either way; larger values are clipped to it."""

_NEWTON_PER_PWM = 0.06
_FINGER_FRICTION_N = 6.0
_FINGER_DAMPING = 200.0
"""At PWM 300: (18 - 6) N / 200 Ns/m = 6 cm/s; below PWM 100 the gears' friction keeps the fingers where they are."""

_PAD_M = 0.003
_FINGER_INNER_M = -0.011 - _PAD_M
HALF_GAP_OFFSET_M = 0.014
"""Half the gap between the pads is the finger joint minus this: 1 mm when closed, 23 mm when open."""

ARM_BITS = {"contype": 2, "conaffinity": 1}
"""Collision bits of the arm; a scene uses contype 1, conaffinity 2, so that each meets only the other."""

VISUAL_GROUP, COLLISION_GROUP = 2, 3


@dataclass(frozen=True)
class _Link:
    """One joint and the link that it carries, in the order of the chain."""

    joint: str
    axis: tuple[float, float, float]
    offset_m: tuple[float, float, float]
    mass_kg: float
    com_m: tuple[float, float, float]
    inertia: tuple[float, float, float]
    effort_nm: float
    damping: float
    armature: float
    servo_kv: float
    meshes: tuple[tuple[str, tuple[float, float, float], tuple[float, float, float]], ...]
    capsules: tuple[tuple[tuple[float, float, float], tuple[float, float, float], float], ...]


_QUARTER = np.pi / 2
_CHAIN = (
    _Link(
        "waist",
        (0, 0, 1),
        (0, 0, 0.072),
        0.480879,
        (0, 0, 0.0066),
        (4e-4, 6e-4, 6e-4),
        10,
        1.0,
        0.05,
        10,
        (("2_shoulder", (0, 0, _QUARTER), (0, 0, -0.003)),),
        (((0, 0, 0), (0, 0, 0.03), 0.045),),
    ),
    _Link(
        "shoulder",
        (0, 1, 0),
        (0, 0, 0.03865),
        0.430811,
        (0.0172, 0, 0.1913),
        (3.5e-3, 3.6e-3, 4.6e-4),
        20,
        1.0,
        0.05,
        10,
        (("3_upper_arm", (0, 0, _QUARTER), (0, 0, 0)),),
        (((0, 0, 0.02), (0.0, 0, 0.25), 0.03), ((0, 0, 0.25), (0.04975, 0, 0.25), 0.025)),
    ),
    _Link(
        "elbow",
        (0, 1, 0),
        (0.04975, 0, 0.25),
        0.234589,
        (0.108, 0, 0),
        (4e-5, 8.8e-4, 8.9e-4),
        15,
        1.0,
        0.05,
        10,
        (("4_upper_forearm", (0, 0, 0), (0, 0, 0)),),
        (((0, 0, 0), (0.175, 0, 0), 0.022),),
    ),
    _Link(
        "forearm_roll",
        (1, 0, 0),
        (0.175, 0, 0),
        0.220991,
        (0.0374, 0, 0),
        (6.4e-5, 1.7e-4, 1.8e-4),
        2,
        0.2,
        0.02,
        5,
        (("5_lower_forearm", (np.pi, 0, 0), (0, 0, 0)),),
        (((0, 0, 0), (0.06, 0, 0), 0.026),),
    ),
    _Link(
        "wrist_angle",
        (0, 1, 0),
        (0.075, 0, 0),
        0.084957,
        (0.0424, 0, 0.0106),
        (3.1e-5, 2.8e-5, 3.2e-5),
        5,
        0.3,
        0.02,
        5,
        (("6_wrist", (0, 0, _QUARTER), (0, 0, 0)),),
        (((0, 0, 0), (0.045, 0, 0.005), 0.02),),
    ),
    _Link(
        "wrist_rotate",
        (1, 0, 0),
        (0.065, 0, 0),
        0.110,
        (0.0216, 0, 0.0114),
        (4e-5, 4e-5, 4e-5),
        1,
        0.1,
        0.02,
        4,
        (
            ("7_gripper", (0, 0, _QUARTER), (-0.02, 0, 0)),
            ("8_gripper_prop", (0, 0, _QUARTER), (-0.02, 0, 0)),
            ("9_gripper_bar", (0, 0, _QUARTER), (-0.02, 0, 0)),
        ),
        (((0.0, 0, 0.005), (0.035, 0, 0.005), 0.022),),
    ),
)
_SERVO_KP = 300.0
_FINGERS_X_M, TOOL_X_M = 0.066, 0.093575


def add_widowx(
    spec: mujoco.MjSpec, parent: mujoco.MjsBody, materials: dict[str, str], meshes: dict[str, Path] | None
) -> mujoco.MjsBody:
    """Build the arm under `parent`, whose frame becomes base_link (x forward, y left, z up).

    Joints, actuators (named as the joints, `left_finger` and `right_finger` take newtons), the site `tool`
    and the geoms `left_pad` and `right_pad` are what an environment looks for.

    Args:
        spec: model under construction.
        parent: body or frame to build on.
        materials: material names of the roles "arm", "arm_base", "finger" and "pad".
        meshes: result of `find_meshes`; None draws the collision primitives instead.

    Returns:
        The body `base_link`.
    """
    for part, file in (meshes or {}).items():
        spec.add_mesh(
            name=f"wx250s_{part}",
            file=str(file),
            scale=[1e-3] * 3,
            inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
        )
    base = parent.add_body(name="base_link", mass=0.538736, ipos=[0, 0, 0.03], inertia=[2e-3, 2e-3, 2e-3])
    base.explicitinertial = True
    builder = _Builder(spec, materials, meshes is not None)
    builder.mesh(base, "1_base", (0, 0, _QUARTER), (0, 0, 0), "arm_base")
    builder.box(base, (-0.02, 0, 0.035), (0.09, 0.07, 0.035), "arm_base")
    body = base
    for link in _CHAIN:
        body = builder.link(body, link)
    builder.gripper(body)
    return base


class _Builder:
    """Adds links with the look that is available."""

    def __init__(self, spec: mujoco.MjSpec, materials: dict[str, str], has_meshes: bool) -> None:
        self._spec, self._materials, self._has_meshes = spec, materials, has_meshes

    def mesh(self, body: mujoco.MjsBody, part: str, rpy: tuple, pos: tuple, role: str) -> None:
        """Draw one of the vendor's meshes, placed as in the URDF."""
        if self._has_meshes:
            body.add_geom(
                type=mujoco.mjtGeom.mjGEOM_MESH,
                meshname=f"wx250s_{part}",
                pos=pos,
                quat=_quat(rpy),
                contype=0,
                conaffinity=0,
                mass=0,
                group=VISUAL_GROUP,
                material=self._materials[role],
            )

    def box(self, body: mujoco.MjsBody, pos: tuple, half: tuple, role: str, **more: object) -> None:
        """A box that collides, and is drawn where there are no meshes."""
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, pos=pos, size=half, **self._solid(role), **more)

    def link(self, parent: mujoco.MjsBody, link: _Link) -> mujoco.MjsBody:
        """One joint with its servo, its link's inertia, look and collision shape."""
        body = parent.add_body(
            name=f"{link.joint}_link",
            pos=link.offset_m,
            mass=link.mass_kg,
            ipos=link.com_m,
            inertia=link.inertia,
            gravcomp=1,
        )
        body.explicitinertial = True
        low, high = JOINT_LIMITS_RAD[ARM_JOINTS.index(link.joint)]
        body.add_joint(
            name=link.joint,
            type=mujoco.mjtJoint.mjJNT_HINGE,
            axis=link.axis,
            range=[low, high],
            damping=link.damping,
            armature=link.armature,
            frictionloss=0.1,
        )
        servo = self._spec.add_actuator(
            name=link.joint,
            target=link.joint,
            trntype=mujoco.mjtTrn.mjTRN_JOINT,
            forcerange=[-link.effort_nm, link.effort_nm],
        )
        servo.set_to_position(kp=_SERVO_KP, kv=link.servo_kv)
        for part, rpy, pos in link.meshes:
            self.mesh(body, part, rpy, pos, "arm")
        for start, end, radius in link.capsules:
            body.add_geom(
                type=mujoco.mjtGeom.mjGEOM_CAPSULE,
                fromto=[*start, *end],
                size=[radius, 0, 0],
                **self._solid("arm"),
            )
        return body

    def gripper(self, palm: mujoco.MjsBody) -> None:
        """Palm, two coupled fingers with rubber pads, their motors and the tool centre point."""
        self.box(palm, (0.057, 0, 0.008), (0.013, 0.052, 0.014), "arm")
        palm.add_site(name="tool", pos=[TOOL_X_M, 0, 0], size=[0.002] * 3, group=5)
        for side, sign in (("left", 1.0), ("right", -1.0)):
            finger = palm.add_body(
                name=f"{side}_finger_link",
                pos=[_FINGERS_X_M, 0, 0],
                mass=0.016246,
                ipos=[0.0138, 0, 0],
                inertia=[4.7e-6, 3.7e-6, 3.7e-6],
                gravcomp=1,
            )
            finger.explicitinertial = True
            finger.add_joint(
                name=f"{side}_finger",
                type=mujoco.mjtJoint.mjJNT_SLIDE,
                axis=[0, 1, 0],
                range=sorted((sign * FINGER_RANGE_M[0], sign * FINGER_RANGE_M[1])),
                damping=_FINGER_DAMPING,
                frictionloss=_FINGER_FRICTION_N,
                armature=0.05,
                solref_limit=[0.004, 1],
                solimp_limit=[0.99, 0.999, 0.0005, 0.5, 2],
            )
            self.mesh(
                finger,
                "10_gripper_finger",
                (np.pi if side == "left" else 0.0, np.pi, 0),
                (0, 0.005 * sign, 0),
                "finger",
            )
            self.box(finger, (0.014, -0.004 * sign, 0), (0.026, 0.006, 0.0125), "finger", condim=4)
            finger.add_geom(
                name=f"{side}_pad",
                type=mujoco.mjtGeom.mjGEOM_BOX,
                pos=[0.021, sign * (_FINGER_INNER_M + _PAD_M / 2), 0],
                size=[0.0225, _PAD_M / 2, 0.0128],
                material=self._materials["pad"],
                group=VISUAL_GROUP,
                mass=0,
                condim=6,
                friction=[1.2, 0.02, 0.001],
                solref=[0.006, 1],
                priority=1,
                **ARM_BITS,
            )
            motor = self._spec.add_actuator(
                name=f"{side}_finger", target=f"{side}_finger", trntype=mujoco.mjtTrn.mjTRN_JOINT
            )
            motor.set_to_motor()
            motor.gear = [sign, 0, 0, 0, 0, 0]
        coupling = self._spec.add_equality(
            type=mujoco.mjtEq.mjEQ_JOINT,
            objtype=mujoco.mjtObj.mjOBJ_JOINT,
            name1="left_finger",
            name2="right_finger",
            solref=[0.004, 1],
        )
        coupling.data = [0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0]

    def _solid(self, role: str) -> dict:
        """Collision attributes of the arm; a drawn one where no mesh hides it."""
        group = COLLISION_GROUP if self._has_meshes else VISUAL_GROUP
        return {"mass": 0, "group": group, "material": self._materials[role], **ARM_BITS}


def finger_force_n(pwm: float) -> float:
    """Motor force on each finger [N], + opens, for a PWM value as xs_sdk takes it."""
    return float(np.clip(pwm, -PWM_LIMIT, PWM_LIMIT)) * _NEWTON_PER_PWM


def gripper_angle_rad(finger_m: float) -> float:
    """Angle of the gripper's motor for a finger position, by the horn-and-rod geometry that xs_sdk uses."""
    horn_m, rod_m = 0.014, 0.024
    cosine = (horn_m**2 + finger_m**2 - rod_m**2) / (2 * horn_m * finger_m)
    return float(np.pi / 2 - np.arccos(np.clip(cosine, -1.0, 1.0)))


def _quat(rpy: tuple[float, float, float]) -> np.ndarray:
    return Rotation.from_euler("xyz", rpy).as_quat(scalar_first=True)
