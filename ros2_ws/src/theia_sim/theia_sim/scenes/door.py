"""The door task: a WidowX 250s before a toy fridge whose lower door has a bar handle (paper section D.3)."""

import colorsys
from dataclasses import dataclass, fields
from typing import Any

import mujoco
import numpy as np

from theia_core.actions.profile import load_profile
from theia_core.errors import TheiaError
from theia_sim.scenes import fridge, kitchen
from theia_sim.scenes.arm_env import ArmEnv, aim_camera
from theia_sim.scenes.world import colour_materials, place_light, place_policy_camera, world_mjcf

OPEN_RAD = 0.35  # 20 degrees: the door has left its frame
FULLY_OPEN_RAD = 1.2  # 69 degrees: a hand can reach in
HELD_SHARE = 0.7  # of the angle must have been gained with the bar in the grip (`DoorEnv.in_grip`)
_PAD_INNER_M = 0.014  # from a finger's joint position to the inner face of its pad
_PAD_REACH_M = 0.02  # half length of a pad along the fingers, from the tool centre point

BASE_HEIGHT_RANGE_M = (0.40, 0.46)
X_POSITION_RANGE_M = (-0.06, 0.06)
_MARGIN_M = 0.0301  # beyond these ranges, the expert still opens the door

CAMERA_M = np.array([-0.10, -0.40, 0.50])
CAMERA_TARGET_M = np.array([0.36, -0.01, 0.17])
SPECTATOR_M = np.array([-0.42, -0.62, 0.62])
SPECTATOR_TARGET_M = np.array([0.36, 0.05, 0.12])


@dataclass(frozen=True)
class DoorParams:
    """One scene, complete: the same numbers give the same episode.

    Lengths are in metres, angles in radians, colours RGB from 0 to 1. `start_rad` (6,) are the arm's joints
    at the start, `x_position_m` is the base's place along the kitchen, positive to the left.
    """

    seed: int
    base_height_m: float
    x_position_m: float
    start_rad: tuple[float, ...]
    finger_m: float
    camera_shift_m: tuple[float, ...]
    target_shift_m: tuple[float, ...]
    fovy_deg: float
    door_rgb: tuple[float, ...]
    body_rgb: tuple[float, ...]
    counter_tint: float
    wall_rgb: tuple[float, ...]
    light_strength: float
    light_direction: tuple[float, ...]
    door_friction: float

    @staticmethod
    def sample(
        seed: int, base_height_m: float | None = None, x_position_m: float | None = None
    ) -> "DoorParams":
        """Draw a scene from `seed`; what is given replaces its draw and changes nothing else.

        Raises:
            TheiaError: if a given position is not one that the arm can open the door from.
        """
        for name, value, (low, high) in (
            ("base_height_m", base_height_m, BASE_HEIGHT_RANGE_M),
            ("x_position_m", x_position_m, X_POSITION_RANGE_M),
        ):
            if value is not None and not low - _MARGIN_M <= value <= high + _MARGIN_M:
                raise TheiaError(f"{name} {value} is out of the arm's reach; choose {low} to {high}")
        rng = np.random.default_rng([seed, 20])
        neutral = load_profile("wx250s").neutral_rad
        height_m, x_m = rng.uniform(*BASE_HEIGHT_RANGE_M), rng.uniform(*X_POSITION_RANGE_M)

        def colour(hue: float, saturation: float, value: float) -> tuple[float, ...]:
            return tuple(round(c, 4) for c in colorsys.hsv_to_rgb(hue % 1.0, saturation, value))

        def draw(low: float, high: float, count: int) -> tuple[float, ...]:
            return tuple(float(v) for v in rng.uniform(low, high, count))

        return DoorParams(
            seed=seed,
            base_height_m=float(height_m if base_height_m is None else base_height_m),
            x_position_m=float(x_m if x_position_m is None else x_position_m),
            start_rad=tuple(float(v) for v in neutral + rng.normal(0.0, 0.03, 6)),
            finger_m=float(rng.uniform(0.033, 0.037)),
            camera_shift_m=draw(-0.01, 0.01, 3),
            target_shift_m=draw(-0.008, 0.008, 3),
            fovy_deg=float(rng.uniform(41.5, 43.5)),
            door_rgb=colour(rng.choice([0.0, 0.02, 0.10, 0.33, 0.47, 0.58, 0.93]), *draw(0.45, 0.85, 2)),
            body_rgb=colour(rng.uniform(0, 1), rng.uniform(0.0, 0.06), rng.uniform(0.85, 0.97)),
            counter_tint=float(rng.uniform(0.75, 1.1)),
            wall_rgb=colour(rng.uniform(0, 1), rng.uniform(0.0, 0.15), rng.uniform(0.85, 1.0)),
            light_strength=float(rng.uniform(0.75, 1.15)),
            light_direction=draw(-0.25, 0.25, 2),
            door_friction=float(rng.uniform(0.05, 0.12)),
        )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "DoorParams":
        """Inverse of `dataclasses.asdict`, also after JSON turned tuples into lists.

        Raises:
            TheiaError: if a field is missing or unknown.
        """
        names = {field.name for field in fields(cls)}
        if wrong := sorted(names.symmetric_difference(values)):
            raise TheiaError(f"door parameters with missing or unknown fields: {', '.join(wrong)}")
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})


class DoorEnv(ArmEnv):
    """The door task.

    Stages `open` and `fully_open` go by the door's angle, and count only if most of the angle was gained
    while both pads held the bar: a door that was struck or thrown open is not an opened door.
    """

    params_type = DoorParams
    stage_names = ("open", "fully_open")

    def __init__(self) -> None:
        """Compile the scene once; `reset` changes it."""
        super().__init__(_scene(), kitchen.TEXTURES())
        self._door = self.model.joint("door")
        self._bar = self.model.geom("bar").id
        self._pads = (self.model.geom("left_pad").id, self.model.geom("right_pad").id)
        self.kitchen_m = np.zeros(3)

    def reset(self, params: DoorParams) -> None:
        """Set up the scene of `params` and put the arm at its start pose."""
        self.params = params
        self.kitchen_m = _kitchen_place(params)
        self.place(self.model, params)
        self._stages = dict.fromkeys(self.stage_names, False)
        self._held_rad = self._last_rad = 0.0
        self._reset_arm(np.array(params.start_rad), params.finger_m)

    def place(self, model: mujoco.MjModel, params: DoorParams) -> None:
        """Write the scene's parameters into `model`."""
        kitchen_m = _kitchen_place(params)
        for body, home_m in _HOMES_M.items():
            model.body(body).pos[:] = home_m + kitchen_m
        model.joint("door").frictionloss[:] = params.door_friction
        colour_materials(
            model,
            {
                "fridge": params.door_rgb,
                "fridge_body": params.body_rgb,
                "wood": (params.counter_tint,) * 3,
                "wall": params.wall_rgb,
            },
        )
        place_light(model, params)
        place_policy_camera(model, params, CAMERA_M, CAMERA_TARGET_M)
        aim_camera(model, "spectator", SPECTATOR_M, SPECTATOR_TARGET_M)

    @property
    def door_angle_rad(self) -> float:
        """How far the door is open [rad]."""
        return float(self.data.qpos[self._door.qposadr[0]])

    def bar_position(self, angle_rad: float | None = None) -> np.ndarray:
        """Centre of the bar (3,) in base_link, at the door's angle or at another."""
        return fridge.bar_position(self.kitchen_m, self.door_angle_rad if angle_rad is None else angle_rad)

    def _touching_pads(self) -> int:
        """How many of the two pads touch the bar."""
        pairs = self.data.contact.geom[: self.data.ncon]
        touching = pairs[(pairs == self._bar).any(axis=1)]
        return sum(bool((touching == pad).any()) for pad in self._pads)

    def holding(self) -> bool:
        """Whether both pads touch the bar."""
        return self._touching_pads() == 2

    def in_grip(self) -> bool:
        """Whether the bar lies between the pads and at least one of them touches it.

        While the hand pulls sideways the bar rests on one pad, and the other may lift off by a hair without
        the grip being lost; a bar that is hooked from outside, pushed or let go is not in the grip.
        """
        if self._touching_pads() == 0:
            return False
        position_m, rotation = self.tcp()
        offset_m = rotation.T @ (self.bar_position() - position_m)
        room_m = self.finger_m() - _PAD_INNER_M
        return bool(abs(offset_m[1]) < room_m and abs(offset_m[0]) < _PAD_REACH_M + fridge.BAR_HALF_LENGTH_M)

    def _after_substep(self) -> None:
        angle_rad = self.door_angle_rad
        if angle_rad != self._last_rad:
            if self.in_grip():
                self._held_rad += angle_rad - self._last_rad
            self._last_rad = angle_rad
        held = self._held_rad >= HELD_SHARE * angle_rad
        self._stages["open"] |= held and angle_rad >= OPEN_RAD
        self._stages["fully_open"] |= self._stages["open"] and held and angle_rad >= FULLY_OPEN_RAD

    def stages(self) -> dict[str, bool]:
        """Stages reached since the reset, in order."""
        return dict(self._stages)

    def info(self) -> dict[str, float]:
        """Door angle [rad], the part of it gained with the bar in the grip [rad], whether both pads touch."""
        return {
            "door_angle_rad": round(self.door_angle_rad, 4),
            "held_rad": round(self._held_rad, 4),
            "holding": float(self.holding()),
        }


# Kitchen, fridge and door are bodies of their own below the world, so that their contacts are not filtered.
_HOMES_M = {
    "kitchen": np.zeros(3),
    "fridge": fridge.HINGE_M + np.array([0.0, fridge.MIDDLE_FROM_HINGE_M, 0.0]),
    "door": fridge.HINGE_M,
}


def _kitchen_place(params: DoorParams) -> np.ndarray:
    """Where the kitchen is (3,), seen from the arm's base, against its nominal place."""
    height_m = params.base_height_m - kitchen.NOMINAL_BASE_HEIGHT_M
    return np.array([0.0, -params.x_position_m, -height_m])


def _scene() -> str:
    counters = kitchen.fridge_stand() + kitchen.counter_left() + kitchen.corner_right()
    return world_mjcf(
        "toy kitchen: door",
        assets=fridge.fridge_assets(),
        bodies=f'<body name="kitchen">{kitchen.room()}{counters}</body>{fridge.fridge_body()}',
    )
