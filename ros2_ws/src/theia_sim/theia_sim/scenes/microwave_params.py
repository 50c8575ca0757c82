"""One scene of the microwave task, and how scenes are drawn."""

import colorsys
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from theia_core.actions.profile import load_profile
from theia_core.errors import TheiaError
from theia_core.tasks.microwave import SEEN_FOODS
from theia_sim.scenes.foods import FOODS

POT_M = np.array([0.30, -0.17])
POT_RANGE_M = 0.03


@dataclass(frozen=True)
class MicrowaveParams:
    """One scene, complete: the same numbers give the same episode.

    Lengths are in metres, angles in radians, colours RGB from 0 to 1. `start_rad` (6,) are the arm's joints
    at the start; `pot_m` (2,) is the pot's middle in base_link, `food_m` (2,) the food's against it, and
    `food_yaw_rad` its long side's direction against the line from the arm to it.
    """

    seed: int
    food: str
    pot_m: tuple[float, ...]
    food_m: tuple[float, ...]
    food_yaw_rad: float
    oven_shift_m: tuple[float, ...]
    door_rad: float
    start_rad: tuple[float, ...]
    finger_m: float
    camera_shift_m: tuple[float, ...]
    target_shift_m: tuple[float, ...]
    fovy_deg: float
    food_tint: float
    oven_rgb: tuple[float, ...]
    door_rgb: tuple[float, ...]
    pot_rgb: tuple[float, ...]
    counter_tint: float
    wall_rgb: tuple[float, ...]
    light_strength: float
    light_direction: tuple[float, ...]

    @staticmethod
    def sample(seed: int, food: str | None = None) -> "MicrowaveParams":
        """Draw a scene from `seed`; a given food replaces the drawn one and changes nothing else.

        Raises:
            TheiaError: if there is no such food.
        """
        if food is not None and food not in FOODS:
            raise TheiaError(f"there is no toy food {food!r}; known: {', '.join(FOODS)}")
        rng = np.random.default_rng([seed, 21])
        neutral = load_profile("wx250s").neutral_rad

        def colour(hue: float, saturation: float, value: float) -> tuple[float, ...]:
            return tuple(round(c, 4) for c in colorsys.hsv_to_rgb(hue % 1.0, saturation, value))

        def draw(low: float, high: float, count: int) -> tuple[float, ...]:
            return tuple(float(v) for v in rng.uniform(low, high, count))

        drawn = SEEN_FOODS[rng.integers(len(SEEN_FOODS))]
        away_m, turn_rad = 0.022 * np.sqrt(rng.uniform()), rng.uniform(-np.pi, np.pi)
        return MicrowaveParams(
            seed=seed,
            food=drawn if food is None else food,
            pot_m=tuple(float(v) for v in POT_M + rng.uniform(-POT_RANGE_M, POT_RANGE_M, 2)),
            food_m=(float(away_m * np.cos(turn_rad)), float(away_m * np.sin(turn_rad))),
            food_yaw_rad=float(rng.uniform(-0.7, 0.7)),
            oven_shift_m=draw(-0.01, 0.01, 2),
            door_rad=float(rng.uniform(1.5, 1.85)),
            start_rad=tuple(float(v) for v in neutral + rng.normal(0.0, 0.03, 6)),
            finger_m=float(rng.uniform(0.033, 0.037)),
            camera_shift_m=draw(-0.01, 0.01, 3),
            target_shift_m=draw(-0.008, 0.008, 3),
            fovy_deg=float(rng.uniform(43.5, 45.5)),
            food_tint=float(rng.uniform(0.92, 1.05)),
            oven_rgb=colour(rng.uniform(0, 1), rng.uniform(0.0, 0.06), rng.uniform(0.80, 0.97)),
            door_rgb=colour(rng.choice([0.0, 0.08, 0.47, 0.58, 0.75, 0.93]), *draw(0.25, 0.75, 2)),
            pot_rgb=colour(rng.choice([0.0, 0.08, 0.33, 0.58, 0.62]), *draw(0.35, 0.70, 2)),
            counter_tint=float(rng.uniform(0.75, 1.1)),
            wall_rgb=colour(rng.uniform(0, 1), rng.uniform(0.0, 0.15), rng.uniform(0.85, 1.0)),
            light_strength=float(rng.uniform(0.75, 1.15)),
            light_direction=draw(-0.25, 0.25, 2),
        )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "MicrowaveParams":
        """Inverse of `dataclasses.asdict`, also after JSON turned tuples into lists.

        Raises:
            TheiaError: if a field is missing or unknown.
        """
        names = {field.name for field in fields(cls)}
        if wrong := sorted(names.symmetric_difference(values)):
            raise TheiaError(f"microwave parameters with missing or unknown fields: {', '.join(wrong)}")
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})
