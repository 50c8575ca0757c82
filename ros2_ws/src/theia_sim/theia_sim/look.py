"""Randomised appearance: lights, colours and camera, as plain numbers that go into an episode's metadata."""

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Look:
    """How a scene looks in one episode.

    Attributes:
        camera_shift_m: (3,) shift of the policy camera in its mount's frame [m].
        camera_turn_rad: (3,) rotation of the policy camera about its own axes [rad].
        key_direction: (3,) direction in which the main light shines, in the world.
        key_brightness: main light, 0 to 1.
        fill_brightness: second light, from the other side, 0 to 1.
        ambient_brightness: light from everywhere, 0 to 1.
        warmth: -1 (bluish daylight) to 1 (lamp light).
        colours: RGB tint 0 to 1 of each randomised material.
    """

    camera_shift_m: tuple[float, float, float]
    camera_turn_rad: tuple[float, float, float]
    key_direction: tuple[float, float, float]
    key_brightness: float
    fill_brightness: float
    ambient_brightness: float
    warmth: float
    colours: dict[str, Colour]

    @classmethod
    def sample(cls, rng: np.random.Generator, palettes: Mapping[str, tuple[Colour, ...]]) -> "Look":
        """Draw a look; every material of `palettes` takes one of its colours, slightly varied."""
        return cls(
            camera_shift_m=_floats(rng.uniform(-0.008, 0.008, 3)),
            camera_turn_rad=_floats(rng.uniform(-0.012, 0.012, 3)),
            key_direction=_floats((rng.uniform(-0.5, 0.35), rng.uniform(0.35, 0.75), -1.0)),
            key_brightness=float(rng.uniform(0.42, 0.62)),
            fill_brightness=float(rng.uniform(0.12, 0.26)),
            ambient_brightness=float(rng.uniform(0.30, 0.40)),
            warmth=float(rng.uniform(-0.6, 0.9)),
            colours={
                name: _vary(rng, colours[rng.integers(len(colours))]) for name, colours in palettes.items()
            },
        )


def apply_look(model: mujoco.MjModel, look: Look, camera: str, pos: np.ndarray, quat: np.ndarray) -> None:
    """Write a look into a model with the lights "key" and "fill".

    Args:
        model: model to change.
        look: what to write.
        camera: name of the camera that is jittered.
        pos: (3,) its nominal position in its body.
        quat: (4,) its nominal orientation, w first.
    """
    tint = np.array([1 + 0.07 * look.warmth, 1.0, 1 - 0.10 * look.warmth])
    for name, brightness, direction in (
        ("key", look.key_brightness, np.array(look.key_direction)),
        ("fill", look.fill_brightness, np.array(look.key_direction) * (-1, 1, 1)),
    ):
        light = model.light(name)
        light.dir[:] = direction / np.linalg.norm(direction)
        light.diffuse[:] = np.clip(brightness * tint, 0, 1)
        light.specular[:] = 0.35 * brightness
    model.vis.headlight.ambient[:] = np.clip(look.ambient_brightness * tint, 0, 1)
    view = model.camera(camera)
    view.pos[:] = pos + np.array(look.camera_shift_m)
    turned = Rotation.from_quat(quat, scalar_first=True) * Rotation.from_rotvec(look.camera_turn_rad)
    view.quat[:] = turned.as_quat(scalar_first=True)
    for name, colour in look.colours.items():
        model.mat_rgba[model.material(name).id, :3] = colour


def _vary(rng: np.random.Generator, colour: Colour) -> Colour:
    hue, saturation, value = colorsys.rgb_to_hsv(*colour)
    saturation = float(np.clip(saturation * rng.uniform(0.85, 1.15), 0, 1))
    value = float(np.clip(value * rng.uniform(0.94, 1.04), 0, 1))
    return colorsys.hsv_to_rgb((hue + rng.uniform(-0.015, 0.015)) % 1.0, saturation, value)


def _floats(values: np.ndarray | tuple[float, ...]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
