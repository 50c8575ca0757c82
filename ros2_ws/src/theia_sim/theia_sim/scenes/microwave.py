"""The microwave task: a WidowX 250s before a pot of food and a toy microwave (paper section D.3)."""

from typing import Any

import mujoco
import numpy as np

from theia_sim.scenes import foods, kitchen, oven, stove
from theia_sim.scenes.arm_env import TIMESTEP_S, ArmEnv, aim_camera
from theia_sim.scenes.foods import FOODS, part_names
from theia_sim.scenes.microwave_params import MicrowaveParams
from theia_sim.scenes.microwave_score import SCORE_STEP_S, MicrowaveScore, Moment
from theia_sim.scenes.world import colour_materials, place_light, place_policy_camera, world_mjcf

OVEN_M = np.array([0.35, 0.13, stove.COUNTER_M])
CAMERA_M = np.array([-0.12, -0.41, 0.60])
CAMERA_TARGET_M = np.array([0.27, 0.015, 0.22])
SPECTATOR_M = np.array([-0.34, -0.62, 0.66])
SPECTATOR_TARGET_M = np.array([0.28, 0.03, 0.18])
_SETTLE_S = 0.4
_HIDDEN_GROUP, _SHOWN_GROUP = 5, 1  # MuJoCo draws the groups 0 to 2


class MicrowaveEnv(ArmEnv):
    """The microwave task; `microwave_score` says what its stages need."""

    params_type = MicrowaveParams
    stage_names = ("pick", "place", "close_door")

    def __init__(self) -> None:
        """Compile the scene once; `reset` changes it."""
        super().__init__(_scene(), kitchen.TEXTURES())
        model = self.model
        self._food = model.body("food")
        self._food_qpos = int(model.joint("food").qposadr[0])
        self._door = model.joint("oven_door")
        self._geoms = {name: [model.geom(part).id for part in part_names(f)] for name, f in FOODS.items()}
        self._kinds = _kinds(model)
        self._inertias = {name: _inertia(name) for name in FOODS}

    def reset(self, params: MicrowaveParams) -> None:
        """Set up the scene of `params`, let the food come to rest and put the arm at its start pose."""
        self.params = params
        self.place(self.model, params)
        food = self._food.id
        self.model.body_mass[food], self.model.body_inertia[food] = self._inertias[params.food]
        mujoco.mj_setConst(self.model, self.data)
        self._reset_arm(np.array(params.start_rad), params.finger_m)
        x_m, y_m = np.add(params.pot_m, params.food_m)
        yaw_rad = np.arctan2(y_m, x_m) + params.food_yaw_rad
        self.put_food(np.array([x_m, y_m, stove.POT_FLOOR_M + FOODS[params.food].bottom_m + 0.001]), yaw_rad)
        self.data.qpos[self._door.qposadr[0]] = params.door_rad
        self._score = MicrowaveScore(params.door_rad)
        mujoco.mj_forward(self.model, self.data)
        self.step(_SETTLE_S)
        self.data.time = 0.0
        self._score = MicrowaveScore(self.door_rad)

    def put_food(self, position_m: np.ndarray, yaw_rad: float) -> None:
        """Put the food at rest with its origin at `position_m` (3,)."""
        half_rad = yaw_rad / 2
        self.data.qpos[self._food_qpos :][:7] = (*position_m, np.cos(half_rad), 0, 0, np.sin(half_rad))
        address = int(self.model.joint("food").dofadr[0])
        self.data.qvel[address : address + 6] = 0

    def place(self, model: mujoco.MjModel, params: MicrowaveParams) -> None:
        """Write the scene's parameters into `model`."""
        model.body("pot").pos[:] = (*params.pot_m, stove.COUNTER_M)
        model.body("oven").pos[:] = OVEN_M + np.array([*params.oven_shift_m, 0.0])
        for name, geoms in self._geoms.items():
            shown = name == params.food
            model.geom_group[geoms] = _SHOWN_GROUP if shown else _HIDDEN_GROUP
            solid = np.array([part.solid for part in FOODS[name].parts])
            model.geom_contype[geoms] = 1 * (solid & shown)
            model.geom_conaffinity[geoms] = 3 * (solid & shown)
            rgb = np.array([part.rgb for part in FOODS[name].parts])
            model.geom_rgba[geoms, :3] = np.clip(rgb * params.food_tint, 0, 1)
        tint = (params.counter_tint,) * 3
        colours = {"oven": params.oven_rgb, "oven_door": params.door_rgb, "pot": params.pot_rgb}
        colour_materials(model, colours | {"wood": tint, "wall": params.wall_rgb})
        place_light(model, params)
        place_policy_camera(model, params, CAMERA_M, CAMERA_TARGET_M)
        aim_camera(model, "spectator", SPECTATOR_M, SPECTATOR_TARGET_M)

    @property
    def door_rad(self) -> float:
        """How far the microwave's door is open [rad]."""
        return float(self.data.qpos[self._door.qposadr[0]])

    @property
    def oven_m(self) -> np.ndarray:
        """Where the microwave stands (3,), see `scenes.oven`."""
        return self.model.body("oven").pos.copy()

    def food_pose(self) -> tuple[np.ndarray, np.ndarray]:
        """Pose of the food in base_link: position (3,) [m], rotation (3, 3)."""
        body = self._food.id
        return self.data.xpos[body].copy(), self.data.xmat[body].reshape(3, 3).copy()

    def finger_m(self) -> float:
        """Position of the left finger [m]."""
        return float(self.data.qpos[self._finger_qpos[0]])

    def food_touches(self) -> set[str]:
        """What touches the food: "left_pad", "right_pad", "palm", "door_panel", "other" or an oven floor.

        The floors are "oven_floor" and "turntable".
        """
        return self._contacts("food")

    def hand_at_door(self) -> bool:
        """Whether pads or palm touch the door."""
        return bool(self._contacts("door_panel") & {"left_pad", "right_pad", "palm"})

    def holding(self) -> bool:
        """Whether both pads touch the food."""
        return {"left_pad", "right_pad"} <= self.food_touches()

    def _contacts(self, of: str) -> set[str]:
        """Kinds of geoms that touch a geom of the kind `of`."""
        kinds = self._kinds[self.data.contact.geom[: self.data.ncon]]
        return {*kinds[kinds[:, 0] == of, 1], *kinds[kinds[:, 1] == of, 0]}

    def _after_substep(self) -> None:
        if round(self.data.time / TIMESTEP_S) % round(SCORE_STEP_S / TIMESTEP_S):
            return
        touches, hand = self.food_touches(), {"left_pad", "right_pad", "palm"}
        position_m, _ = self.food_pose()
        self._score.update(
            Moment(
                held={"left_pad", "right_pad"} <= touches,
                touched=bool(touches & hand),
                supported=bool(touches - hand),
                over_rim_m=float(position_m[2] - stove.POT_RIM_M),
                inside=oven.inside(self.oven_m, position_m),
                on_floor=bool(touches & {"oven_floor", "turntable"}),
                door_rad=self.door_rad,
                hand_at_door=self.hand_at_door(),
            )
        )

    def stages(self) -> dict[str, bool]:
        """Stages reached since the reset, in order."""
        return dict(self._score.stages)

    def info(self) -> dict[str, Any]:
        """The food, its height [m], the door's angle [rad], how much of its way was pushed, the grip."""
        return {
            "food": self.params.food,
            "food_z_m": round(float(self.food_pose()[0][2]), 4),
            "door_angle_rad": round(self.door_rad, 4),
            "pushed_rad": round(self._score.pushed_rad, 4),
            "holding": float(self.holding()),
        }


def _kinds(model: mujoco.MjModel) -> np.ndarray:
    """What each geom is to the score (ngeom,): food, a part of hand or microwave, or "other"."""
    kinds = np.full(model.ngeom, "other", dtype=object)
    for name in ("left_pad", "right_pad", "palm", "oven_floor", "turntable", "door_panel"):
        kinds[model.geom(name).id] = name
    kinds[model.geom_bodyid == model.body("food").id] = "food"
    return kinds


def _inertia(food: str) -> tuple[float, np.ndarray]:
    """Mass [kg] and moments of inertia (3,) about its axes of one food alone.

    The centre of mass is taken to be at the origin, a few millimetres off: MuJoCo's tree of bounding boxes is
    fixed to a body's frame of inertia when the scene is compiled, so that this frame must not move.
    """
    model = mujoco.MjModel.from_xml_string(
        f"""<mujoco><compiler angle="radian"/><default>{foods.DEFAULTS}</default>
        <asset>{foods.food_assets(food)}</asset><worldbody>{foods.food_body(food)}</worldbody></mujoco>"""
    )
    body, axes = model.body("food"), np.zeros(9)
    mujoco.mju_quat2Mat(axes, body.iquat)
    return float(body.mass[0]), (axes.reshape(3, 3) ** 2) @ body.inertia


def _scene() -> str:
    return world_mjcf(
        "toy kitchen: microwave",
        defaults=foods.DEFAULTS,
        assets=stove.stove_assets() + oven.oven_assets() + foods.food_assets(),
        bodies=f"""<body name="kitchen">{kitchen.room()}{stove.counter()}</body>
        {stove.pot_body()}{oven.oven_body()}{foods.food_body()}""",
    )
