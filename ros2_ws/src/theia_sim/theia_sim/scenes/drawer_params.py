"""One scene of the drawer task, and how scenes are drawn."""

import colorsys
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from theia_core.errors import TheiaError
from theia_core.tasks.drawer import START_RANGE_M, START_RANGE_RAD
from theia_sim.scenes.spot import READY_RAD

_FARTHEST = 2.0  # times the task's ranges: the expert still opens the drawer from there
_START_RANGES = {
    "start_x_m": START_RANGE_M,
    "start_y_m": START_RANGE_M,
    "start_yaw_rad": START_RANGE_RAD,
}


@dataclass(frozen=True)
class DrawerParams:
    """One scene, complete: the same numbers give the same episode.

    Lengths are in metres, angles in radians, colours RGB from 0 to 1. `start_x_m`, `start_y_m` and
    `start_yaw_rad` say where Spot stands against its nominal place, `arm_rad` (6,) how its arm starts.
    """

    seed: int
    start_x_m: float
    start_y_m: float
    start_yaw_rad: float
    arm_rad: tuple[float, ...]
    gripper_fraction: float
    handle_height_m: float
    friction_n: float
    camera_shift_m: tuple[float, ...]
    target_shift_m: tuple[float, ...]
    fovy_deg: float
    front_rgb: tuple[float, ...]
    carcass_rgb: tuple[float, ...]
    handle_value: float
    worktop_tint: float
    floor_tint: float
    wall_rgb: tuple[float, ...]
    light_strength: float
    light_direction: tuple[float, ...]

    @staticmethod
    def sample(
        seed: int,
        start_x_m: float | None = None,
        start_y_m: float | None = None,
        start_yaw_rad: float | None = None,
    ) -> "DrawerParams":
        """Draw a scene from `seed`; what is given replaces its draw and changes nothing else.

        Raises:
            TheiaError: if a given start is farther off than twice the task's range.
        """
        given = {"start_x_m": start_x_m, "start_y_m": start_y_m, "start_yaw_rad": start_yaw_rad}
        for name, value in given.items():
            most = _FARTHEST * _START_RANGES[name]
            if value is not None and not abs(value) <= most + 1e-9:
                raise TheiaError(f"{name} {value} is too far from the drawer; choose {-most:g} to {most:g}")
        rng = np.random.default_rng([seed, 24])

        def colour(hue: float, saturation: float, value: float) -> tuple[float, ...]:
            return tuple(round(c, 4) for c in colorsys.hsv_to_rgb(hue % 1.0, saturation, value))

        def draw(low: float, high: float, count: int) -> tuple[float, ...]:
            return tuple(float(v) for v in rng.uniform(low, high, count))

        start = {name: float(rng.uniform(-most, most)) for name, most in _START_RANGES.items()}
        start.update({name: float(value) for name, value in given.items() if value is not None})
        return DrawerParams(
            seed=seed,
            **start,
            arm_rad=tuple(float(v) for v in np.array(READY_RAD) + rng.normal(0.0, 0.02, 6)),
            gripper_fraction=float(rng.uniform(0.0, 0.1)),
            handle_height_m=float(rng.uniform(-0.01, 0.01)),
            friction_n=float(rng.uniform(3.0, 6.0)),
            camera_shift_m=draw(-0.006, 0.006, 3),
            target_shift_m=draw(-0.010, 0.010, 3),
            fovy_deg=float(rng.uniform(63.0, 65.0)),
            front_rgb=colour(rng.uniform(0, 1), rng.uniform(0.05, 0.55), rng.uniform(0.45, 0.95)),
            carcass_rgb=colour(rng.uniform(0.05, 0.15), rng.uniform(0.0, 0.35), rng.uniform(0.6, 0.95)),
            handle_value=float(rng.uniform(0.15, 0.95)),
            worktop_tint=float(rng.uniform(0.6, 1.1)),
            floor_tint=float(rng.uniform(0.6, 1.1)),
            wall_rgb=colour(rng.uniform(0, 1), rng.uniform(0.0, 0.18), rng.uniform(0.82, 1.0)),
            light_strength=float(rng.uniform(0.75, 1.15)),
            light_direction=draw(-0.25, 0.25, 2),
        )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "DrawerParams":
        """Inverse of `dataclasses.asdict`, also after JSON turned tuples into lists.

        Raises:
            TheiaError: if a field is missing or unknown.
        """
        names = {field.name for field in fields(cls)}
        if wrong := sorted(names.symmetric_difference(values)):
            raise TheiaError(f"drawer parameters with missing or unknown fields: {', '.join(wrong)}")
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})
