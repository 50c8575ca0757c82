"""The door task: a WidowX 250s in front of the toy fridge."""

from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from theia_core.errors import TheiaError
from theia_sim import fridge
from theia_sim.arm_env import ArmEnv
from theia_sim.door_stages import DoorStages
from theia_sim.kitchen import ROBOT_QUAT, add_lights
from theia_sim.look import Look, apply_look
from theia_sim.widowx import FINGER_RANGE_M, NEUTRAL_RAD, add_widowx
from theia_sim.widowx_meshes import find_meshes

BASE_HEIGHTS_M = (0.40, 0.46)
"""Lowest and highest base height; the paper's five are 0.40, 0.42, 0.43, 0.44 and 0.46 (section D.3)."""

X_POSITIONS_M = (-0.06, -0.03, 0.0, 0.03, 0.06)
"""The five places along the kitchen, from BASE_X_M; positive is to the right."""

BASE_X_M = -0.03
PALETTES = {
    "fridge": ((0.93, 0.91, 0.86),),
    "fridge_door": ((0.80, 0.25, 0.22), (0.45, 0.72, 0.66), (0.93, 0.78, 0.42), (0.50, 0.65, 0.82)),
    "handle": ((0.82, 0.83, 0.85),),
}
_START_SPREAD_RAD = np.array([0.12, 0.08, 0.08, 0.05, 0.10, 0.08])


@dataclass(frozen=True)
class DoorParams:
    """One scene of the door task; plain numbers only.

    Attributes:
        seed: what everything else was drawn from.
        base_height_m: height of the arm's base over the floor; the fridge's handle is at 0.63 m.
        x_position_m: place of the base along the kitchen, positive to the right.
        start_joints_rad: (6,) joints of the arm at the start.
        look: lights, colours and camera.
    """

    seed: int
    base_height_m: float
    x_position_m: float
    start_joints_rad: tuple[float, ...]
    look: Look

    @classmethod
    def sample(
        cls, seed: int, base_height_m: float | None = None, x_position_m: float | None = None
    ) -> "DoorParams":
        """Draw a scene; the same seed gives the same start, look and, where not given, position.

        Raises:
            TheiaError: if a given position lies outside what the arm can reach.
        """
        rng = np.random.default_rng([seed, 0xD00])
        height_m, x_m = rng.uniform(*BASE_HEIGHTS_M), rng.uniform(X_POSITIONS_M[0], X_POSITIONS_M[-1])
        height_m = height_m if base_height_m is None else base_height_m
        x_m = x_m if x_position_m is None else x_position_m
        for name, value, low, high in (
            ("base_height_m", height_m, 0.38, 0.48),
            ("x_position_m", x_m, -0.08, 0.08),
        ):
            if not low <= value <= high:
                raise TheiaError(f"{name} {value} is out of the arm's reach; choose {low} to {high}")
        start = NEUTRAL_RAD + rng.uniform(-1, 1, 6) * _START_SPREAD_RAD
        return cls(
            int(seed), float(height_m), float(x_m), tuple(float(q) for q in start), Look.sample(rng, PALETTES)
        )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "DoorParams":
        """Inverse of `dataclasses.asdict`, also after JSON turned tuples into lists."""
        look = {key: tuple(v) if isinstance(v, list) else v for key, v in values["look"].items()}
        look["colours"] = {name: tuple(colour) for name, colour in look["colours"].items()}
        joints = tuple(values["start_joints_rad"])
        return cls(**{**values, "start_joints_rad": joints, "look": Look(**look)})


class DoorEnv(ArmEnv):
    """Stages are `open` and `fully_open`; see theia_sim.door_stages for what counts."""

    params_type = DoorParams

    def __init__(self) -> None:
        """Build and compile the scene."""
        super().__init__(_build())
        names = ("left_pad", "right_pad", "door_bar")
        self._left_pad, self._right_pad, self._bar = (self.model.geom(name).id for name in names)
        door_body = self.model.body("door").id
        self._is_door = self.model.geom_bodyid == door_body
        self._is_arm = (self.model.geom_contype == 2) & (self.model.geom_conaffinity == 1)
        self._hinge = self.model.joint("door")
        self._camera = self.model.camera("policy").pos.copy(), self.model.camera("policy").quat.copy()
        self._stages = DoorStages()

    def reset(self, params: DoorParams) -> None:
        """Start an episode; equal parameters and commands give bit-identical episodes."""
        self._stages = DoorStages()
        self.start(params, np.array(params.start_joints_rad), FINGER_RANGE_M[1] - 0.001)

    def place(self, model: mujoco.MjModel, params: DoorParams) -> None:
        """Put the base where `params` says and apply the look."""
        model.body("base_link").pos[:] = (BASE_X_M + params.x_position_m, 0.0, params.base_height_m)
        apply_look(model, params.look, "policy", *self._camera)

    def judge(self, elapsed_s: float) -> None:
        """Feed the stages with this moment's contacts."""
        contacts = self.data.contact
        pairs = contacts.geom
        pads = [False, False]
        touches = False
        for (first, second), address in zip(pairs, contacts.efc_address, strict=True):
            if address < 0 or not (self._is_door[first] or self._is_door[second]):
                continue
            touches = touches or bool(self._is_arm[first] or self._is_arm[second])
            if self._bar in (first, second) and self.data.efc_force[address] > 0.5:
                pads[0] |= self._left_pad in (first, second)
                pads[1] |= self._right_pad in (first, second)
        self._stages.update(
            elapsed_s,
            angle_rad=self.door_angle_rad,
            rate_rad_s=float(self.data.qvel[self._hinge.dofadr[0]]),
            pads_press=all(pads),
            hand_touches=touches,
        )

    def stages(self) -> dict[str, bool]:
        """Whether `open` and `fully_open` were reached since `reset`."""
        return dict(self._stages.reached)

    def info(self) -> dict[str, float]:
        """Numbers worth showing: door angle, how long the bar has been held, and the last release angle."""
        released = self._stages.releases_rad
        return {
            "door_angle_rad": self.door_angle_rad,
            "held_s": self._stages.held_s,
            "releases": float(len(released)),
            "release_angle_rad": released[-1] if released else float("nan"),
            "finger_m": self.finger_m,
        }

    @property
    def door_angle_rad(self) -> float:
        """Door angle, 0 = shut."""
        return float(self.data.qpos[self._hinge.qposadr[0]])

    def bar_in_base(self, angle_rad: float) -> np.ndarray:
        """Middle of the handle's bar (3,) [m] in base_link with the door at `angle_rad`."""
        return self.in_base(fridge.bar_position_m(angle_rad))


def _build() -> mujoco.MjSpec:
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    add_lights(spec)
    colours = {
        "fridge": (0.93, 0.91, 0.86),
        "fridge_door": (0.8, 0.25, 0.22),
        "handle": (0.8, 0.8, 0.8),
        "arm": (0.16, 0.16, 0.18),
        "arm_base": (0.13, 0.13, 0.15),
        "finger": (0.2, 0.2, 0.22),
        "pad": (1.0, 0.5, 0.1),
        "floor": (0.7, 0.6, 0.5),
    }
    for name, rgb in colours.items():
        spec.add_material(name=name, rgba=[*rgb, 1])
    spec.worldbody.add_geom(
        type=mujoco.mjtGeom.mjGEOM_PLANE, size=[3, 3, 0.1], material="floor", contype=0, conaffinity=0
    )
    fridge.add_fridge(spec)
    mount = spec.worldbody
    base = add_widowx(
        spec, mount, {role: role for role in ("arm", "arm_base", "finger", "pad")}, find_meshes()
    )
    base.quat = ROBOT_QUAT
    camera = base.add_camera(name="policy", pos=[0.02, -0.42, 0.52], fovy=50)
    camera.alt.xyaxes = _look_at((0.02, -0.42, 0.52), (0.30, -0.02, 0.17))
    spec.worldbody.add_camera(name="spectator", pos=[-0.9, -0.6, 1.15], fovy=45).alt.xyaxes = _look_at(
        (-0.9, -0.6, 1.15), (0, 0.3, 0.55)
    )
    return spec


def _look_at(eye: tuple, target: tuple) -> list[float]:
    forward = np.subtract(target, eye).astype(float)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    return [*right, *np.cross(right, forward)]
