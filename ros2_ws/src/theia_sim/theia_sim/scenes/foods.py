"""Toy foods as MJCF: ten that demonstrations show and five that they do not, different in shape and colour.

All foods hang on one free body; a scene shows one of them and hides the others. A food's frame has its origin
where the fingers should hold it, x along its long side, y across it (the pads close along y) and z up.
"""

from dataclasses import dataclass

import numpy as np

from theia_sim.scenes.assets import numbers
from theia_sim.scenes.food_shapes import Part, Rgb, ball, box, chain, disc, hull, rod, turned


@dataclass(frozen=True)
class Food:
    """One toy food.

    Attributes:
        name: what the task calls it.
        shape: what kind of shape it has.
        rgb: the colour of most of it.
        bottom_m: height of its origin over the ground when it lies as it was put.
        round: whether it looks much the same from every side, so that the hand need not turn to hold it.
        parts: its geoms.
    """

    name: str
    shape: str
    rgb: Rgb
    bottom_m: float
    round: bool
    parts: tuple[Part, ...]


_LEAF: Rgb = (0.25, 0.55, 0.18)


def _carrot() -> Food:
    orange = (0.95, 0.43, 0.06)
    rings = ((-0.034, 0.003), (-0.030, 0.005), (0.0, 0.0125), (0.022, 0.0145), (0.026, 0.010))
    leaves = ((0.0, 0.004), (0.008, 0.0), (-0.008, 0.001))
    parts = [turned(rings, "x", orange)]
    parts += [rod(0.0032, (0.024, 0, 0), (0.041, y, z), _LEAF, solid=False) for y, z in leaves]
    return Food("carrot", "cone", orange, 0.0135, False, tuple(parts))


def _tomato() -> Food:
    red = (0.84, 0.10, 0.08)
    parts = (
        ball((0.0175, 0.0175, 0.0150), (0, 0, 0), red),
        ball((0.010, 0.0025, 0.0012), (0, 0, 0.0148), _LEAF, solid=False),
        ball((0.0025, 0.010, 0.0012), (0, 0, 0.0148), _LEAF, solid=False),
        rod(0.0015, (0, 0, 0.014), (0.002, 0, 0.021), _LEAF, solid=False),
    )
    return Food("tomato", "globe", red, 0.0150, True, parts)


def _egg() -> Food:
    cream = (0.95, 0.91, 0.83)
    rings = ((-0.0215, 0.004), (-0.017, 0.0105), (-0.008, 0.0155), (0.002, 0.016), (0.013, 0.0115))
    return Food("egg", "ovoid", cream, 0.0158, False, (turned((*rings, (0.020, 0.005)), "x", cream),))


def _banana() -> Food:
    yellow, dark = (0.96, 0.82, 0.12), (0.30, 0.22, 0.10)
    turns = np.linspace(np.pi / 2 - 0.75, np.pi / 2 + 0.75, 6)
    points = np.stack([0.040 * np.cos(turns), 0.040 * np.sin(turns) - 0.036, 0 * turns], axis=1)
    parts = chain((0.0085, 0.0115, 0.0120, 0.0115, 0.0085), points, yellow)
    parts.append(ball((0.005, 0.005, 0.005), points[0] + np.array([0.0045, -0.006, 0]), dark, solid=False))
    parts.append(rod(0.004, points[-1], points[-1] + np.array([-0.008, -0.010, 0]), dark, solid=False))
    return Food("banana", "crescent", yellow, 0.0120, False, tuple(parts))


def _aubergine() -> Food:
    purple = (0.29, 0.09, 0.34)
    rings = ((-0.031, 0.005), (-0.026, 0.0120), (-0.013, 0.0165), (0.0, 0.0155), (0.022, 0.0095))
    parts = (
        turned((*rings, (0.027, 0.005)), "x", purple),
        turned(((0.017, 0.0115), (0.0265, 0.0085), (0.029, 0.003)), "x", _LEAF, solid=False),
        rod(0.0025, (0.026, 0, 0), (0.037, 0, 0.003), _LEAF, solid=False),
    )
    return Food("aubergine", "pear", purple, 0.0160, False, parts)


def _mushroom() -> Food:
    cap, stem = (0.78, 0.63, 0.47), (0.93, 0.88, 0.78)
    dots = ((0.006, 0.004, 0.0088), (-0.007, 0.002, 0.0082), (0.001, -0.008, 0.0080))
    parts = [
        turned(((-0.006, 0.0165), (0.0, 0.0175), (0.006, 0.0145), (0.0105, 0.008)), "z", cap),
        turned(((-0.023, 0.0115), (-0.006, 0.0085)), "z", stem),
    ]
    parts += [ball((0.0035, 0.0035, 0.001), dot, stem, solid=False) for dot in dots]
    return Food("mushroom", "cap on a stem", cap, 0.0230, True, tuple(parts))


def _sausage() -> Food:
    brown, charred = (0.56, 0.20, 0.12), (0.30, 0.10, 0.06)
    parts = [rod(0.0125, (-0.022, 0, 0), (0.022, 0, 0), brown)]
    parts += [box((0.0015, 0.007, 0.0008), (x, 0, 0.0121), charred, solid=False) for x in (-0.016, 0, 0.016)]
    return Food("sausage", "rod", brown, 0.0125, False, tuple(parts))


def _cheese() -> Food:
    gold, hole = (0.97, 0.70, 0.18), (0.80, 0.50, 0.08)
    corners = ((-0.026, -0.013), (0.026, -0.013), (0.026, -0.006), (-0.026, 0.015))
    sides = ((-0.014, 1, -0.002), (0.006, 1, -0.006), (-0.012, -1, -0.001), (0.008, -1, -0.007))
    parts = [hull(np.array([(x, y, z) for x, z in corners for y in (-0.0145, 0.0145)]), gold)]
    parts += [ball((0.0045, 0.001, 0.0035), (x, 0.0145 * y, z), hole, solid=False) for x, y, z in sides]
    parts.append(ball((0.005, 0.004, 0.0015), (-0.010, 0.004, 0.0085), hole, solid=False))
    return Food("cheese", "wedge", gold, 0.0130, False, tuple(parts))


def _pea_pod() -> Food:
    lime, pea = (0.50, 0.76, 0.16), (0.62, 0.86, 0.28)
    parts = [ball((0.034, 0.0115, 0.0105), (0, 0, 0), lime)]
    peas = (-0.016, -0.0055, 0.0055, 0.016)
    parts += [ball((0.0065, 0.0065, 0.0065), (x, 0, 0.0055), pea, solid=False) for x in peas]
    return Food("pea_pod", "pod", lime, 0.0105, False, tuple(parts))


def _toast() -> Food:
    crust, crumb, butter = (0.62, 0.38, 0.17), (0.93, 0.80, 0.56), (0.98, 0.93, 0.55)
    parts = (
        box((0.021, 0.0155, 0.0105), (0, 0, 0), crust),
        rod(0.0105, (0.019, -0.005, 0), (0.019, 0.005, 0), crust),
        box((0.0185, 0.0130, 0.0007), (0, 0, 0.0105), crumb, solid=False),
        box((0.006, 0.0045, 0.0016), (-0.002, 0.001, 0.0117), butter, solid=False),
    )
    return Food("toast", "slab", crust, 0.0105, False, parts)


def _broccoli() -> Food:
    green, stem = (0.07, 0.33, 0.10), (0.55, 0.68, 0.35)
    turns = np.arange(5) * 2 * np.pi / 5
    places = [(0.0085 * np.cos(turn), 0.0085 * np.sin(turn), 0.003) for turn in turns]
    parts = [ball((0.0085, 0.0085, 0.0085), place, green) for place in places]
    parts.append(ball((0.010, 0.010, 0.009), (0, 0, 0.009), green))
    parts.append(turned(((-0.021, 0.0115), (-0.002, 0.0075)), "z", stem))
    return Food("broccoli", "tree", green, 0.0210, True, tuple(parts))


def _doughnut() -> Food:
    icing, dough = (0.95, 0.45, 0.68), (0.80, 0.58, 0.34)
    sprinkles = ((0.2, 0.35, 0.9), (0.98, 0.9, 0.3), (0.95, 0.95, 0.95)) * 2
    turns = np.linspace(0, 2 * np.pi, 9)
    points = 0.0105 * np.stack([np.cos(turns), np.sin(turns), 0 * turns], axis=1)
    parts = chain((0.0070,) * 8, points, icing)
    parts.append(disc(0.0155, 0.0012, -0.0062, dough, solid=False))
    for turn, rgb in zip(np.arange(6) * np.pi / 3 + 0.3, sprinkles, strict=True):
        place = (0.0105 * np.cos(turn), 0.0105 * np.sin(turn), 0.0068)
        parts.append(ball((0.0018, 0.0011, 0.0011), place, rgb, solid=False))
    return Food("doughnut", "ring", icing, 0.0072, True, tuple(parts))


def _maki() -> Food:
    seaweed, rice, salmon = (0.06, 0.08, 0.09), (0.95, 0.95, 0.92), (0.95, 0.45, 0.30)
    parts = (
        disc(0.0160, 0.0115, 0.0, seaweed),
        disc(0.0135, 0.0121, 0.0, rice, solid=False),
        disc(0.0055, 0.0125, 0.0, salmon, solid=False),
    )
    return Food("maki", "drum", seaweed, 0.0118, True, parts)


def _cupcake() -> Food:
    paper, icing, cherry = (0.10, 0.60, 0.68), (0.55, 0.86, 0.88), (0.90, 0.12, 0.30)
    parts = (
        turned(((-0.018, 0.0115), (0.001, 0.0160)), "z", paper),
        turned(((0.001, 0.0165), (0.005, 0.0150), (0.010, 0.0095), (0.015, 0.003)), "z", icing),
        ball((0.0045, 0.0045, 0.0045), (0, 0, 0.0165), cherry, solid=False),
    )
    return Food("cupcake", "cup with a dome", paper, 0.0180, True, parts)


def _fish() -> Food:
    scales, fin = (0.36, 0.52, 0.76), (0.22, 0.34, 0.60)
    tail = [(x, y, z) for x, z in ((-0.016, 0.0), (-0.034, -0.013), (-0.034, 0.013)) for y in (-0.004, 0.004)]
    back = [(x, y, z) for x, z in ((-0.008, 0.010), (0.008, 0.010), (-0.006, 0.019)) for y in (-0.002, 0.002)]
    parts = (
        ball((0.024, 0.0125, 0.0135), (0.003, 0, 0), scales),
        hull(np.array(tail), fin),
        hull(np.array(back), fin, solid=False),
        ball((0.0025, 0.0135, 0.0025), (0.017, 0, 0.003), (0.95, 0.95, 0.95), solid=False),
        ball((0.0013, 0.0142, 0.0013), (0.0172, 0, 0.003), (0.05, 0.05, 0.05), solid=False),
    )
    return Food("fish", "fish", scales, 0.0135, False, parts)


def _catalogue() -> dict[str, Food]:
    seen = (_carrot, _tomato, _egg, _banana, _aubergine, _mushroom, _sausage, _cheese, _pea_pod, _toast)
    unseen = (_broccoli, _doughnut, _maki, _cupcake, _fish)
    foods = [make() for make in seen + unseen]
    return {food.name: food for food in foods}


FOODS = _catalogue()

DEFAULTS = """
<default class="food">
 <geom contype="1" conaffinity="3" condim="6" friction="1.2 .02 .002" density="700"
  solref=".004 1" solimp=".97 .995 .001" priority="1"/>
</default>
<default class="garnish"><geom contype="0" conaffinity="0" mass="0"/></default>
"""


def food_assets(only: str | None = None) -> str:
    """Meshes of all foods, or of one."""
    return "".join(
        f'<mesh name="{name}" vertex="{part.vertices}"/>' for name, part in _parts(only) if part.vertices
    )


def food_body(only: str | None = None) -> str:
    """The free body "food" with the geoms of all foods, or of one.

    With all of them its centre of mass is at the origin, and its mass is to be set with the food that is
    shown.
    """
    geoms = []
    for name, part in _parts(only):
        mesh = f'mesh="{name}" ' if part.vertices else ""
        kind = "food" if part.solid else "garnish"
        geoms.append(f'<geom name="{name}" class="{kind}" {part.geom} {mesh}rgba="{numbers(part.rgb)} 1"/>')
    inertial = '<inertial pos="0 0 0" mass=".02" diaginertia="2e-6 2e-6 2e-6"/>' if only is None else ""
    return f'<body name="food"><freejoint name="food"/>{inertial}{"".join(geoms)}</body>'


def part_names(food: Food) -> list[str]:
    """Names of a food's geoms in the MJCF, in the order of its parts."""
    return [f"{food.name}_{place}" for place in range(len(food.parts))]


def _parts(only: str | None) -> list[tuple[str, Part]]:
    foods = FOODS.values() if only is None else (FOODS[only],)
    return [pair for food in foods for pair in zip(part_names(food), food.parts, strict=True)]
