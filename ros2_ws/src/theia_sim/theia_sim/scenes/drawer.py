"""The drawer task: Spot before a cabinet whose top drawer has a bar handle (paper section 4.3)."""

from pathlib import Path

import mujoco
import numpy as np

from theia_core.actions.poses import Pose
from theia_core.tasks.drawer import HELD_SHARE, OPEN_M
from theia_sim.scenes import cabinet, fiducial, kitchen
from theia_sim.scenes.arm_env import TIMESTEP_S, aim_camera
from theia_sim.scenes.drawer_params import DrawerParams
from theia_sim.scenes.spot import spot_mjcf
from theia_sim.scenes.spot_world import SpotWorld
from theia_sim.scenes.world import colour_materials, place_light, scene_mjcf

# In the body's frame: under the arm, off the middle, so that the hand does not hide all of the bar.
CAMERA_M = np.array([0.445, 0.075, 0.040])
CAMERA_TARGET_M = np.array([1.03, 0.025, 0.115])
SPECTATOR_M = np.array([0.02, -1.75, 1.25])
SPECTATOR_TARGET_M = np.array([0.58, 0.02, 0.47])
_FIDUCIAL_SEEN_M = 4.0
SCORE_STEP_S = 0.01


class DrawerEnv(SpotWorld):
    """The drawer task.

    Stage `open` goes by the drawer's way out, and counts only if most of it was gained with the bar in the
    grip: a drawer that was hooked or thrown open is not an opened drawer.
    """

    params_type = DrawerParams
    stage_names = ("open",)

    def __init__(self) -> None:
        """Compile the scene once; `reset` changes it."""
        super().__init__(_scene, {**kitchen.TEXTURES(), **fiducial.tag_texture()})
        self._drawer = self.model.joint("drawer")
        self._bar = self.model.geom("bar").id
        self._fiducial, self._grasp = self.model.site("fiducial").id, self.model.site("grasp").id
        self._upper = {self.model.geom(name).id for name in ("finger", "finger_tip")}
        self._lower = {self.model.geom(name).id for name in ("jaw", "jaw_tip", "jaw_tooth")}

    def reset(self, params: DrawerParams) -> None:
        """Set up the scene of `params`, the drawer shut, and put the robot at its start."""
        self.params = params
        self.place(self.model, params)
        self._open = False
        self._held_m = self._last_m = 0.0
        start = np.array([params.start_x_m, params.start_y_m, params.start_yaw_rad])
        self._reset_robot(start, np.array(params.arm_rad), params.gripper_fraction)

    def place(self, model: mujoco.MjModel, params: DrawerParams) -> None:
        """Write the scene's parameters into `model`."""
        model.body("drawer").pos[2] = cabinet.BAR_M[2] + params.handle_height_m
        model.joint("drawer").frictionloss[:] = params.friction_n
        colour_materials(
            model,
            {
                "front": params.front_rgb,
                "carcass": params.carcass_rgb,
                "handle": (params.handle_value,) * 3,
                "worktop": (params.worktop_tint,) * 3,
                "floor": (params.floor_tint,) * 3,
                "wall": params.wall_rgb,
            },
        )
        place_light(model, params)
        aim_camera(model, "policy", CAMERA_M + params.camera_shift_m, CAMERA_TARGET_M + params.target_shift_m)
        model.camera("policy").fovy[:] = params.fovy_deg
        aim_camera(model, "spectator", SPECTATOR_M, SPECTATOR_TARGET_M)

    @property
    def drawer_m(self) -> float:
        """How far the drawer is out."""
        return float(self.data.qpos[self._drawer.qposadr[0]])

    def bar_m(self) -> np.ndarray:
        """Middle of the bar (3,) in "world"."""
        return self.data.geom_xpos[self._bar].copy()

    def grasp_m(self) -> np.ndarray:
        """The point (3,) in "world" where the jaws hold best."""
        return self.data.site_xpos[self._grasp].copy()

    def fiducial_pose(self, frame: str) -> Pose:
        """Pose of the AprilTag: x to the right and y up on its plate, z out of it."""
        in_world = Pose(
            self.data.site_xpos[self._fiducial].copy(),
            self.data.site_xmat[self._fiducial].reshape(3, 3).copy(),
        )
        return self.frame_pose("world", frame) @ in_world

    def sees_fiducial(self) -> bool:
        """Whether the tag is within 4 m and faces the body; Spot has cameras on all sides."""
        tag = self.fiducial_pose("body")
        return bool(
            np.linalg.norm(tag.position_m) < _FIDUCIAL_SEEN_M and tag.rotation[:, 2] @ tag.position_m < 0
        )

    def touching_jaws(self) -> tuple[bool, bool]:
        """Whether the finger and whether the jaw below touch the bar."""
        pairs = self.data.contact.geom[: self.data.ncon]
        touching = set(pairs[(pairs == self._bar).any(axis=1)].ravel().tolist())
        return bool(touching & self._upper), bool(touching & self._lower)

    def holding(self) -> bool:
        """Whether finger and jaw both touch the bar."""
        return all(self.touching_jaws())

    def in_grip(self) -> bool:
        """Whether the bar lies between finger and jaw and at least one of them touches it."""
        if not any(self.touching_jaws()):
            return False
        hand = self.hand_pose("world")
        bar = hand.rotation.T @ (self.bar_m() - hand.position_m)
        return bool(-0.075 < bar[0] < 0.045 and -0.040 < bar[2] < 0.030 and self.gripper_fraction() < 0.35)

    def _after_substep(self) -> None:
        if round(self.data.time / TIMESTEP_S) % round(SCORE_STEP_S / TIMESTEP_S):
            return
        out_m = self.drawer_m
        if out_m != self._last_m:
            if self.in_grip():
                self._held_m += out_m - self._last_m
            self._last_m = out_m
        self._open |= out_m >= OPEN_M and self._held_m >= HELD_SHARE * out_m

    def stages(self) -> dict[str, bool]:
        """Stages reached since the reset, in order."""
        return {"open": self._open}

    def info(self) -> dict[str, float]:
        """How far the drawer is out [m], how much of it by the grip [m], whether both jaws touch the bar."""
        return {
            "drawer_m": round(self.drawer_m, 4),
            "held_m": round(self._held_m, 4),
            "holding": float(self.holding()),
        }


def _room() -> str:
    """Floor, wall with skirting, a carpet and a picture."""
    return """
<geom type="plane" size="4 4 .1" material="floor" class="scenery"/>
<geom type="box" size="1.2 2.6 .01" euler="0 1.5708 0" pos="1.66 0 1.1" material="wall" class="scenery"/>
<geom type="box" size=".012 2.6 .05" pos="1.645 0 .05" material="white" class="scenery"/>
<geom type="box" size=".50 .85 .004" pos=".35 0 .004" rgba=".60 .56 .52 1" class="scenery"/>
<geom type="box" size=".010 .22 .16" pos="1.640 .02 1.25" material="black_wood" class="scenery"/>
<geom type="box" size=".004 .20 .14" pos="1.628 .02 1.25" rgba=".88 .84 .74 1" class="scenery"/>
<geom type="ellipsoid" size=".003 .08 .05" pos="1.624 -.03 1.23" rgba=".35 .52 .60 1" class="scenery"/>
<geom type="ellipsoid" size=".003 .05 .05" pos="1.624 .09 1.29" rgba=".88 .62 .30 1" class="scenery"/>
"""


def _scene(meshes: Path | None = None) -> str:
    robot = spot_mjcf(meshes)
    return scene_mjcf(
        "room: drawer",
        defaults=robot.defaults,
        assets=kitchen.ASSETS + robot.assets + cabinet.cabinet_assets(),
        bodies=f'<body name="room">{_room()}</body>{cabinet.cabinet_body()}{robot.body}',
        actuators=robot.actuators,
        sight='<statistic extent="1"/>',  # 5 cm: the hand passes close before the body's camera
    )
