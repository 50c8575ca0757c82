"""The one rule by which a file's bytes become RGB pixels, and by which they are refused."""

import io

import numpy as np
from PIL import Image, UnidentifiedImageError

from theia_training.sources.image_source import UnreadableImage

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm")
_MAX_PIXELS = 200_000_000
_EIGHT_BIT_MODES = (
    "1",
    "L",
    "LA",
    "La",
    "P",
    "PA",
    "RGB",
    "RGBA",
    "RGBa",
    "RGBX",
    "CMYK",
    "YCbCr",
    "HSV",
    "LAB",
)
_WHITE = (255, 255, 255)


def decode_rgb(data: bytes, name: str) -> np.ndarray:
    """Decode an image file.

    Gray becomes three equal channels, palettes their colours, CMYK and other 8-bit colour spaces RGB by
    Pillow's conversion, transparent pixels are laid over white. EXIF orientation and colour profiles are not
    applied: teachers see what the file stores. Of an animation the first frame counts. Depths above 8 bits
    are refused, since nothing says which range was meant.

    Args:
        data: the file's bytes.
        name: what errors call it.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        UnreadableImage: if it is empty, truncated, too large, deeper than 8 bits or no image.
    """
    if not data:
        raise UnreadableImage(f"{name} is empty; remove it or copy it again")
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            if image.mode not in _EIGHT_BIT_MODES:
                raise UnreadableImage(
                    f"{name} has pixels of mode {image.mode}; convert it to 8 bits per channel"
                )
            if not 0 < width * height <= _MAX_PIXELS:
                raise UnreadableImage(
                    f"{name} is {width}x{height} pixels; scale it below {_MAX_PIXELS} pixels"
                )
            return np.array(_to_rgb(image))
    except UnreadableImage:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableImage(f"{name} is no image that Pillow knows; remove it from the folder") from error
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise UnreadableImage(f"{name} cannot be decoded: {error}; remove it or copy it again") from error


def _to_rgb(image: Image.Image) -> Image.Image:
    image.load()
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        canvas = Image.new("RGBA", layer.size, (*_WHITE, 255))
        return Image.alpha_composite(canvas, layer).convert("RGB")
    return image.convert("RGB")
