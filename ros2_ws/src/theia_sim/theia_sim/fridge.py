"""The toy fridge: a body, a freezer door below, and above it the hinged door with a bar handle."""

import mujoco
import numpy as np

from theia_sim.kitchen import SCENE_BITS

FRONT_Y_M = 0.46
"""Front face of the closed doors' hinge plane, from the robot's base."""

WIDTH_M, DEPTH_M, HEIGHT_M = 0.24, 0.26, 0.86
DOOR_Z_M = (0.50, 0.83)
HINGE_M = np.array([0.115, FRONT_Y_M, 0.665])
"""Hinge axis of the door, on its right edge, at the height of the door's middle."""

BAR_RADIUS_M, BAR_HALF_LENGTH_M = 0.008, 0.055
BAR_FROM_HINGE_M = np.array([-0.185, -0.065, -0.035])
"""Middle of the handle's bar from the hinge while the door is shut: 19.6 cm away, at 0.63 m."""

DOOR_LIMIT_RAD = 1.75


def bar_position_m(angle_rad: float) -> np.ndarray:
    """Middle of the bar (3,) [m] in the world with the door at an angle."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    x, y, z = BAR_FROM_HINGE_M
    return HINGE_M + np.array([c * x - s * y, s * x + c * y, z])


def add_fridge(spec: mujoco.MjSpec) -> None:
    """Add the fridge with the joint `door` (0 = shut) and the geoms `door_panel` and `door_bar`."""
    box, capsule = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_CAPSULE
    fridge = spec.worldbody.add_body(name="fridge", pos=[0, 0, 0])
    half = np.array([WIDTH_M, DEPTH_M, HEIGHT_M]) / 2
    fridge.add_geom(
        type=box, pos=[0, FRONT_Y_M + half[1], half[2]], size=half, material="fridge", **SCENE_BITS
    )
    fridge.add_geom(
        type=box,
        pos=[0, FRONT_Y_M - 0.012, 0.27],
        size=[0.115, 0.01, 0.21],
        material="fridge_door",
        **SCENE_BITS,
    )
    door = spec.worldbody.add_body(
        name="door", pos=HINGE_M, mass=0.5, ipos=[-0.11, -0.01, 0], inertia=[0.003, 0.002, 0.003]
    )
    door.explicitinertial = True
    door.add_joint(
        name="door",
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=[0, 0, 1],
        range=[0, DOOR_LIMIT_RAD],
        damping=0.15,
        frictionloss=0.12,
        armature=0.002,
        solref_limit=[0.01, 1],
    )
    door.add_geom(
        name="door_panel",
        type=box,
        pos=[-0.105, -0.013, 0],
        size=[0.105, 0.011, 0.16],
        material="fridge_door",
        **SCENE_BITS,
    )
    bar = BAR_FROM_HINGE_M
    door.add_geom(
        name="door_bar",
        type=capsule,
        fromto=[bar[0], bar[1], bar[2] - BAR_HALF_LENGTH_M, bar[0], bar[1], bar[2] + BAR_HALF_LENGTH_M],
        size=[BAR_RADIUS_M, 0, 0],
        material="handle",
        condim=6,
        friction=[1.2, 0.02, 0.001],
        **SCENE_BITS,
    )
    for sign in (-1, 1):
        z = bar[2] + sign * BAR_HALF_LENGTH_M
        door.add_geom(
            type=capsule,
            fromto=[bar[0], bar[1], z, bar[0], -0.02, z],
            size=[0.007, 0, 0],
            material="handle",
            **SCENE_BITS,
        )
