"""The pick-and-place task: a WidowX 250s, a pink cup in a toy sink, a drying rack on its left (paper D.3)."""

from typing import Any

import mujoco
import numpy as np

from theia_sim.scenes import cup, kitchen, rack, sink
from theia_sim.scenes.arm_env import TIMESTEP_S, ArmEnv, aim_camera
from theia_sim.scenes.pick_place_params import PickPlaceParams
from theia_sim.scenes.pick_place_score import SCORE_STEP_S, Moment, PickPlaceScore
from theia_sim.scenes.world import colour_materials, place_light, place_policy_camera, world_mjcf

RACK_M = np.array([0.290, 0.175, sink.COUNTER_M])
CAMERA_M = np.array([-0.10, -0.40, 0.50])
CAMERA_TARGET_M = np.array([0.29, 0.03, 0.13])
SPECTATOR_M = np.array([-0.30, -0.52, 0.62])
SPECTATOR_TARGET_M = np.array([0.28, 0.02, 0.13])
_SETTLE_S = 0.3
_HAND = ("left_pad", "right_pad", "palm")


class PickPlaceEnv(ArmEnv):
    """The pick-and-place task; `pick_place_score` says what its stages need."""

    params_type = PickPlaceParams
    stage_names = ("pick", "place")

    def __init__(self) -> None:
        """Compile the scene once; `reset` changes it."""
        super().__init__(_scene(), kitchen.TEXTURES())
        joint = self.model.joint("cup")
        self._cup = self.model.body("cup").id
        self._cup_qpos, self._cup_dof = int(joint.qposadr[0]), int(joint.dofadr[0])
        self._kinds = _kinds(self.model)

    def reset(self, params: PickPlaceParams) -> None:
        """Set up the scene of `params`, let the cup come to rest and put the arm at its start pose."""
        self.params = params
        self.place(self.model, params)
        self._score = PickPlaceScore()
        self._reset_arm(np.array(params.start_rad), params.finger_m)
        self.put_cup(np.array([*(self.sink_m + params.cup_place), sink.FLOOR_M]), params.handle_rad)
        self.step(_SETTLE_S)
        self.data.time = 0.0

    def put_cup(self, foot_m: np.ndarray, handle_rad: float) -> None:
        """Stand the cup upright and at rest with its foot at `foot_m` (3,)."""
        half_rad = handle_rad / 2
        self.data.qpos[self._cup_qpos :][:7] = (*foot_m, np.cos(half_rad), 0, 0, np.sin(half_rad))
        self.data.qvel[self._cup_dof :][:6] = 0
        mujoco.mj_forward(self.model, self.data)

    def place(self, model: mujoco.MjModel, params: PickPlaceParams) -> None:
        """Write the scene's parameters into `model`."""
        model.body("kitchen").pos[:2] = params.kitchen_shift_m
        model.body("rack").pos[:] = RACK_M + np.array([*params.rack_shift_m, 0.0])
        colour_materials(
            model,
            {
                "cup": params.cup_rgb,
                "basin": params.basin_rgb,
                "basin_floor": tuple(0.82 * c for c in params.basin_rgb),
                "tray": params.tray_rgb,
                "wood": (params.counter_tint,) * 3,
                "wall": params.wall_rgb,
            },
        )
        place_light(model, params)
        place_policy_camera(model, params, CAMERA_M, CAMERA_TARGET_M)
        aim_camera(model, "spectator", SPECTATOR_M, SPECTATOR_TARGET_M)

    @property
    def sink_m(self) -> np.ndarray:
        """Middle of the sink (2,) in base_link."""
        return sink.SINK_M + self.params.kitchen_shift_m

    @property
    def rack_m(self) -> np.ndarray:
        """Where the rack stands (3,), see `scenes.rack`."""
        return self.model.body("rack").pos.copy()

    def cup_pose(self) -> tuple[np.ndarray, np.ndarray]:
        """Pose of the cup in base_link: middle of its foot (3,) [m], rotation (3, 3)."""
        return self.data.xpos[self._cup].copy(), self.data.xmat[self._cup].reshape(3, 3).copy()

    def cup_touches(self) -> set[str]:
        """What touches the cup: "left_pad", "right_pad", "palm", "rack_floor", "other"."""
        kinds = self._kinds[self.data.contact.geom[: self.data.ncon]]
        return {*kinds[kinds[:, 0] == "cup", 1], *kinds[kinds[:, 1] == "cup", 0]}

    def holding(self) -> bool:
        """Whether both pads touch the cup."""
        return self.cup_touches() >= {"left_pad", "right_pad"}

    def _after_substep(self) -> None:
        if round(self.data.time / TIMESTEP_S) % round(SCORE_STEP_S / TIMESTEP_S):
            return
        touches = self.cup_touches()
        foot_m, rotation = self.cup_pose()
        self._score.update(
            Moment(
                held={"left_pad", "right_pad"} <= touches,
                touched=bool(touches.intersection(_HAND)),
                supported=bool(touches.difference(_HAND)),
                over_counter_m=float(foot_m[2] - sink.COUNTER_M),
                in_rack=rack.inside(self.rack_m, foot_m),
                on_rack="rack_floor" in touches,
                tilt_rad=tilt_rad(rotation),
            )
        )

    def stages(self) -> dict[str, bool]:
        """Stages reached since the reset, in order."""
        return dict(self._score.stages)

    def info(self) -> dict[str, float]:
        """Height of the cup's foot over the worktop [m], its tilt [rad], whether both pads touch it."""
        foot_m, rotation = self.cup_pose()
        return {
            "cup_over_counter_m": round(float(foot_m[2] - sink.COUNTER_M), 4),
            "cup_tilt_rad": round(tilt_rad(rotation), 4),
            "holding": float(self.holding()),
        }


def tilt_rad(rotation: np.ndarray) -> float:
    """Angle of a body's z axis to the vertical, from its rotation (3, 3)."""
    return float(np.arccos(np.clip(rotation[2, 2], -1.0, 1.0)))


def _kinds(model: mujoco.MjModel) -> np.ndarray:
    """What each geom is to the score (ngeom,): cup, a part of the hand, the rack's floor, or "other"."""
    kinds: np.ndarray[Any, Any] = np.full(model.ngeom, "other", dtype=object)
    for name in (*_HAND, "rack_floor"):
        kinds[model.geom(name).id] = name
    kinds[model.geom_bodyid == model.body("cup").id] = "cup"
    return kinds


def _scene() -> str:
    counter = f'<body name="kitchen">{kitchen.room()}{sink.counter()}</body>'
    return world_mjcf(
        "toy kitchen: pick and place",
        defaults=sink.DEFAULTS + cup.DEFAULTS,
        assets=sink.sink_assets() + rack.rack_assets() + cup.cup_assets(),
        bodies=counter + rack.rack_body() + cup.cup_body(),
    )
