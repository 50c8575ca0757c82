"""What the scenes of all WidowX tasks share: solver, the arm on its stand, lights, cameras, colours."""

from typing import Any

import mujoco
import numpy as np

from theia_core.actions.profile import load_profile
from theia_sim.scenes import kitchen
from theia_sim.scenes.arm_env import TIMESTEP_S, aim_camera
from theia_sim.scenes.widowx import widowx_mjcf

_KEY_DIRECTION, _KEY_STRENGTH = np.array([0.45, 0.25, -0.85]), 0.62


def world_mjcf(title: str, *, assets: str, bodies: str, defaults: str = "") -> str:
    """The MJCF of a scene around the WidowX.

    Args:
        title: name of the model.
        assets: assets besides the arm's and the kitchen's.
        bodies: what stands in the world besides the arm. Bodies directly below the world are not filtered
            from contacts with each other.
        defaults: default classes besides the arm's and the kitchen's.
    """
    arm = widowx_mjcf(load_profile("wx250s"))
    return scene_mjcf(
        title,
        defaults=arm.defaults + defaults,
        assets=arm.assets + kitchen.kitchen_assets() + assets,
        bodies='<camera name="policy" fovy="42"/>'
        f'{kitchen.robot_table()}<body name="arm_base">{arm.body}</body>{bodies}',
        actuators=arm.actuators,
        equality=arm.equality,
    )


def scene_mjcf(
    title: str,
    *,
    defaults: str,
    assets: str,
    bodies: str,
    actuators: str,
    equality: str = "",
    sight: str = "",
) -> str:
    """The MJCF of any scene: solver, two lights, the camera "spectator" and what is given.

    `sight` says how near to a camera things are still drawn, as MJCF; else 5 % of the scene's extent.
    """
    direction = " ".join(map(str, _KEY_DIRECTION))
    return f"""<mujoco model="{title}">
<compiler angle="radian" autolimits="true"/>
<option timestep="{TIMESTEP_S}" integrator="implicitfast" cone="elliptic" impratio="10"/>
<visual>
 <global offwidth="1280" offheight="960"/><quality offsamples="4" numslices="20" numstacks="12"/>
 <map znear=".05" zfar="12"/>
 <headlight ambient=".42 .42 .43" diffuse=".22 .22 .22" specular=".05 .05 .05"/>
</visual>
{sight}
<default>{kitchen.DEFAULTS}{defaults}</default>
<asset>{assets}</asset>
<worldbody>
 <light name="key" directional="true" castshadow="false" dir="{direction}" diffuse=".62 .60 .56"
  specular=".3 .3 .3"/>
 <light name="fill" directional="true" castshadow="false" dir=".3 -.7 -.4" diffuse=".18 .19 .21"
  specular="0 0 0"/>
 {bodies}
 <camera name="spectator" fovy="46"/>
</worldbody>
<equality>{equality}</equality>
<actuator>{actuators}</actuator>
</mujoco>"""


def place_light(model: mujoco.MjModel, params: Any) -> None:
    """Strength and direction of the key light of a scene (`light_strength`, `light_direction` (2,))."""
    key = model.light("key")
    key.diffuse[:] = _KEY_STRENGTH * params.light_strength
    key.dir[:] = _KEY_DIRECTION + np.array([*params.light_direction, 0.0])


def place_policy_camera(
    model: mujoco.MjModel, params: Any, position_m: np.ndarray, target_m: np.ndarray
) -> None:
    """The policy's camera (3,) and what it looks at (3,), with a scene's shifts and field of view."""
    aim_camera(model, "policy", position_m + params.camera_shift_m, target_m + params.target_shift_m)
    model.camera("policy").fovy[:] = params.fovy_deg


def colour_materials(model: mujoco.MjModel, colours: dict[str, tuple[float, ...]]) -> None:
    """Give materials their colour (RGB from 0 to 1) in this scene."""
    for material, rgb in colours.items():
        model.mat_rgba[model.material(material).id][:3] = np.clip(rgb, 0, 1)
