"""The toy kitchen's frame and materials. World: x along the kitchen to the right, y into it, z up, floor at 0."""

import mujoco

SCENE_BITS = {"contype": 1, "conaffinity": 2}
"""Collision bits of everything that the arm may touch."""

ROBOT_QUAT = (0.7071067811865476, 0.0, 0.0, 0.7071067811865476)
"""base_link faces the kitchen: its x axis is the world's y axis."""


def add_lights(spec: mujoco.MjSpec) -> None:
    """The lights that `theia_sim.look` sets."""
    for name in ("key", "fill"):
        spec.worldbody.add_light(
            name=name,
            pos=[0, -1, 2.5],
            dir=[0, 0.5, -1],
            type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
            castshadow=False,
        )
    spec.visual.headlight.diffuse = [0.12] * 3
    spec.visual.headlight.specular = [0.05] * 3
