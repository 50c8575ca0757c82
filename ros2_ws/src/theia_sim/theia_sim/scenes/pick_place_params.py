"""One scene of the pick-and-place task, and how scenes are drawn."""

import colorsys
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from theia_core.actions.profile import load_profile
from theia_core.errors import TheiaError
from theia_core.tasks.pick_place import CUP_AREA, CUP_PLACES_M, HANDLES

HANDLE_SPREAD_RAD = 0.3
_HANDLE_RAD = {"left": np.pi / 2, "right": -np.pi / 2}


@dataclass(frozen=True)
class PickPlaceParams:
    """One scene, complete: the same numbers give the same episode.

    Lengths are in metres, angles in radians, colours RGB from 0 to 1. `start_rad` (6,) are the arm's joints
    at the start; `cup_place` (2,) is the cup's middle against the sink's, `handle` the side of its handle and
    `handle_turn_rad` by how much the handle is turned from there.
    """

    seed: int
    cup_place: tuple[float, ...]
    handle: str
    handle_turn_rad: float
    kitchen_shift_m: tuple[float, ...]
    rack_shift_m: tuple[float, ...]
    start_rad: tuple[float, ...]
    finger_m: float
    camera_shift_m: tuple[float, ...]
    target_shift_m: tuple[float, ...]
    fovy_deg: float
    cup_rgb: tuple[float, ...]
    basin_rgb: tuple[float, ...]
    tray_rgb: tuple[float, ...]
    counter_tint: float
    wall_rgb: tuple[float, ...]
    light_strength: float
    light_direction: tuple[float, ...]

    @property
    def handle_rad(self) -> float:
        """Direction of the handle [rad]: 0 away from the robot, pi/2 to the left."""
        return _HANDLE_RAD[self.handle] + self.handle_turn_rad

    @staticmethod
    def sample(
        seed: int, cup_place: str | tuple[float, float] | None = None, handle: str | None = None
    ) -> "PickPlaceParams":
        """Draw a scene from `seed`; what is given replaces its draw and changes nothing else.

        Args:
            seed: of the scene.
            cup_place: name of one of the protocol's places, or the cup's middle against the sink's, (x, y)
                in metres.
            handle: "left" or "right", about which the handle's direction varies.

        Raises:
            TheiaError: if there is no such place or handle, or the place is too near the sink's edge.
        """
        if handle is not None and handle not in HANDLES:
            raise TheiaError(f"the cup's handle cannot be {handle!r}; choose {' or '.join(HANDLES)}")
        rng = np.random.default_rng([seed, 22])
        neutral = load_profile("wx250s").neutral_rad

        def colour(hue: float, saturation: float, value: float) -> tuple[float, ...]:
            return tuple(round(c, 4) for c in colorsys.hsv_to_rgb(hue % 1.0, saturation, value))

        def draw(low: float, high: float, count: int) -> tuple[float, ...]:
            return tuple(float(v) for v in rng.uniform(low, high, count))

        drawn_m = tuple(float(v) for v in rng.uniform(CUP_AREA.low_m, CUP_AREA.high_m))
        drawn_handle = HANDLES[rng.integers(len(HANDLES))]
        return PickPlaceParams(
            seed=seed,
            cup_place=drawn_m if cup_place is None else _place_m(cup_place),
            handle=handle or drawn_handle,
            handle_turn_rad=float(rng.uniform(-HANDLE_SPREAD_RAD, HANDLE_SPREAD_RAD)),
            kitchen_shift_m=draw(-0.006, 0.006, 2),
            rack_shift_m=draw(-0.008, 0.008, 2),
            start_rad=tuple(float(v) for v in neutral + rng.normal(0.0, 0.03, 6)),
            finger_m=float(rng.uniform(0.033, 0.037)),
            camera_shift_m=draw(-0.01, 0.01, 3),
            target_shift_m=draw(-0.008, 0.008, 3),
            fovy_deg=float(rng.uniform(41.5, 43.5)),
            cup_rgb=colour(rng.uniform(0.91, 0.96), *draw(0.40, 0.60, 1), *draw(0.88, 1.0, 1)),
            basin_rgb=colour(rng.uniform(0, 1), rng.uniform(0.0, 0.10), rng.uniform(0.60, 0.85)),
            tray_rgb=colour(rng.uniform(0.3, 0.75), *draw(0.2, 0.6, 1), *draw(0.35, 0.75, 1)),
            counter_tint=float(rng.uniform(0.75, 1.1)),
            wall_rgb=colour(rng.uniform(0, 1), rng.uniform(0.0, 0.15), rng.uniform(0.85, 1.0)),
            light_strength=float(rng.uniform(0.75, 1.15)),
            light_direction=draw(-0.25, 0.25, 2),
        )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "PickPlaceParams":
        """Inverse of `dataclasses.asdict`, also after JSON turned tuples into lists.

        Raises:
            TheiaError: if a field is missing or unknown.
        """
        names = {field.name for field in fields(cls)}
        if wrong := sorted(names.symmetric_difference(values)):
            raise TheiaError(f"pick-and-place parameters with missing or unknown fields: {', '.join(wrong)}")
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})


def _place_m(place: str | tuple[float, float]) -> tuple[float, ...]:
    """The cup's middle (2,) against the sink's, for a name or the place itself."""
    if isinstance(place, str):
        if place not in CUP_PLACES_M:
            raise TheiaError(f"the cup has no place {place!r}; known: {', '.join(CUP_PLACES_M)}")
        return CUP_PLACES_M[place]
    place_m = np.asarray(place, float)
    if place_m.shape != (2,) or not np.all((place_m >= CUP_AREA.low_m) & (place_m <= CUP_AREA.high_m)):
        raise TheiaError(
            f"cup_place {place} is not in the sink; choose x, y from {CUP_AREA.low_m} to {CUP_AREA.high_m}"
        )
    return tuple(float(v) for v in place_m)
