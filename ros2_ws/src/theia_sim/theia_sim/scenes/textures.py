"""Procedural textures of the toy kitchen, as PNG bytes for MuJoCo's asset table; each has its own seed."""

import cv2
import numpy as np


def kitchen_textures() -> dict[str, bytes]:
    """File name -> PNG bytes of every texture that the kitchen's MJCF names."""
    return {
        "wood.png": _png(_wood(512, 512, (176, 128, 82), seed=1, planks=0)),
        "floor.png": _png(_wood(512, 512, (150, 112, 78), seed=2, planks=6)),
        "tiles.png": _png(_tiles(512, 8)),
        "wall.png": _png(_plaster(256, (232, 226, 214), seed=4)),
        "stone.png": _png(_plaster(256, (88, 90, 96), seed=5, contrast=26)),
        "label.png": _png(_label()),
    }


def _png(rgb: np.ndarray) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


def _noise(height: int, width: int, cell_y: int, cell_x: int, rng: np.random.Generator) -> np.ndarray:
    coarse = rng.standard_normal((max(height // cell_y, 2), max(width // cell_x, 2))).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def _wood(height: int, width: int, colour: tuple[int, int, int], *, seed: int, planks: int) -> np.ndarray:
    """Long grain along x with rings; `planks` boards with their own tint and dark joints, 0 for one slab."""
    rng = np.random.default_rng(seed)
    y = np.arange(height, dtype=np.float32)[:, None]
    bend = 14 * _noise(height, width, 64, 256, rng)
    grain = np.sin((y + bend) * 0.35) * 0.5 + 0.6 * _noise(height, width, 2, 128, rng)
    shade = 1.0 + 0.06 * grain + 0.04 * _noise(height, width, 128, 256, rng)
    if planks:
        board = height // planks
        tint = rng.uniform(0.88, 1.08, planks + 1).astype(np.float32)
        shade *= tint[np.minimum((y // board).astype(int), planks)]
        shade[(y % board < 3)[:, 0]] *= 0.6
    return np.clip(np.array(colour, np.float32) * shade[..., None], 0, 255).astype(np.uint8)


def _tiles(size: int, count: int) -> np.ndarray:
    """Glazed square tiles, each with its own shade and a soft highlight, in light grout."""
    rng = np.random.default_rng(3)
    tile = size // count
    image = np.full((size, size, 3), (205, 203, 198), np.float32)
    ramp = np.linspace(1.05, 0.93, tile - 6, dtype=np.float32)
    gloss = ramp[:, None, None] * ramp[None, :, None]
    for row in range(count):
        for column in range(count):
            colour = np.array((226, 236, 238), np.float32) * rng.uniform(0.93, 1.03)
            image[row * tile + 3 : (row + 1) * tile - 3, column * tile + 3 : (column + 1) * tile - 3] = (
                colour * gloss
            )
    return np.clip(image, 0, 255).astype(np.uint8)


def _plaster(size: int, colour: tuple[int, int, int], *, seed: int, contrast: float = 7) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shade = contrast * (0.4 * _noise(size, size, 4, 4, rng) + 0.3 * _noise(size, size, 32, 32, rng))
    return np.clip(np.array(colour, np.float32) + shade[..., None], 0, 255).astype(np.uint8)


def _label() -> np.ndarray:
    """Paper label of a jar."""
    image = np.full((64, 128, 3), (245, 240, 225), np.uint8)
    cv2.rectangle(image, (4, 4), (123, 59), (150, 60, 50), 2)
    cv2.putText(image, "jam", (36, 42), cv2.FONT_HERSHEY_SCRIPT_COMPLEX, 1.1, (120, 40, 40), 2, cv2.LINE_AA)
    return image
