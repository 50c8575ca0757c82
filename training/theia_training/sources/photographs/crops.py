"""Training crops of one photograph: the same bytes give the same crops on every machine with this Pillow."""

import colorsys
import math

import numpy as np
from PIL import Image

from theia_core.errors import TheiaError

SHORT_SIDE_PX = 256
JPEG_QUALITY = 95
_MIN_CROP_PX = 112  # the smallest crop's short side, half of what encoders see
_AREA = (0.12, 0.8)  # share of the photograph's area
_LOG_ASPECT = math.log(4 / 3)
_MAX_ASPECT = 2.0  # of the whole photograph as crop 0
# Photographs by their short side: (at least so many pixels, so many crops).
_COUNTS = ((900, 18), (600, 15), (330, 12), (0, 8))
_CUTOUT_COUNT = 6
_CUTOUT_FILL = (0.45, 0.95)  # share of the crop's side that a cut-out object spans
_CUTOUT_ENLARGED = 2.0  # at most; small ones stay small


def crop_count(width_px: int, height_px: int, cutout: bool) -> int:
    """How many crops a photograph is worth: larger ones give more."""
    if cutout:
        return _CUTOUT_COUNT
    return next(count for least_px, count in _COUNTS if min(width_px, height_px) >= least_px)


def crops(image: Image.Image, count: int, seed: int) -> list[Image.Image]:
    """Crops of an RGB photograph, each with a short side of 256 pixels.

    The first is the whole photograph (its middle, if it is longer than 2:1); the others are random-resized
    crops: 12 to 80 % of the area, aspect 3:4 to 4:3, never below 112 pixels. None is mirrored.

    Raises:
        TheiaError: if the photograph is not RGB.
    """
    if image.mode != "RGB":
        raise TheiaError(f"crops are cut from RGB photographs, not {image.mode}; convert it first")
    rng = np.random.default_rng(seed)
    boxes = [_middle(image.size)] + [_random_box(image.size, rng) for _ in range(count - 1)]
    return [_resized(image, box) for box in boxes[:count]]


def cutout_crops(image: Image.Image, count: int, seed: int) -> list[Image.Image]:
    """The object of an RGBA photograph on `count` plain backgrounds, 256x256 RGB.

    Place, size, colour and the light's gradient of the background are drawn anew for each.

    Raises:
        TheiaError: if the photograph has no transparency.
    """
    if image.mode != "RGBA":
        raise TheiaError(f"cut-outs need RGBA photographs, not {image.mode}; treat it as a whole photograph")
    visible = image.getchannel("A").point(lambda alpha: 255 if alpha > 8 else 0).getbbox()
    if visible is None:
        raise TheiaError("a cut-out is transparent everywhere; leave it out")
    thing = image.crop(visible)
    rng = np.random.default_rng(seed)
    return [_on_plain(thing, rng) for _ in range(count)]


def _middle(size: tuple[int, int]) -> tuple[float, float, float, float]:
    width, height = size
    w, h = min(width, _MAX_ASPECT * height), min(height, _MAX_ASPECT * width)
    return (width - w) / 2, (height - h) / 2, (width + w) / 2, (height + h) / 2


def _random_box(size: tuple[int, int], rng: np.random.Generator) -> tuple[float, float, float, float]:
    width, height = size
    least = min(_MIN_CROP_PX, width, height)
    for _ in range(10):
        area = width * height * rng.uniform(*_AREA)
        aspect = math.exp(rng.uniform(-_LOG_ASPECT, _LOG_ASPECT))
        w, h = math.sqrt(area * aspect), math.sqrt(area / aspect)
        if least <= w <= width and least <= h <= height:
            break
    else:
        w = h = rng.uniform(least, min(width, height))
    left, top = rng.uniform(0, width - w), rng.uniform(0, height - h)
    return left, top, left + w, top + h


def _resized(image: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    width, height = box[2] - box[0], box[3] - box[1]
    scale = SHORT_SIDE_PX / min(width, height)
    size = (round(width * scale), round(height * scale))
    return image.resize(size, Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)


def _on_plain(thing: Image.Image, rng: np.random.Generator) -> Image.Image:
    side = SHORT_SIDE_PX
    colour = np.array(colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0, 0.35), rng.uniform(0.25, 0.95)))
    direction_rad, strength = rng.uniform(0, 2 * math.pi), rng.uniform(0, 0.25)
    ramp = np.linspace(-1, 1, side)
    light = 1 + strength * (
        math.cos(direction_rad) * ramp[None, :, None] + math.sin(direction_rad) * ramp[:, None, None]
    )
    canvas = Image.fromarray((np.clip(colour * light, 0, 1) * 255).astype(np.uint8), "RGB")
    scale = min(_CUTOUT_ENLARGED, side * rng.uniform(*_CUTOUT_FILL) / max(thing.size))
    width, height = (max(1, round(extent * scale)) for extent in thing.size)
    small = thing.resize((width, height), Image.Resampling.BICUBIC)
    place = (int(rng.integers(0, side - width + 1)), int(rng.integers(0, side - height + 1)))
    canvas.paste(small, place, small)
    return canvas
