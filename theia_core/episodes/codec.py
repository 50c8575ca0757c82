"""Camera frames to and from their messages."""

from typing import Any

import cv2
import numpy as np

from theia_core.errors import TheiaError

JPEG_QUALITY = 95
_CHANNELS = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1}
_TO_RGB = {
    "bgr8": cv2.COLOR_BGR2RGB,
    "rgba8": cv2.COLOR_RGBA2RGB,
    "bgra8": cv2.COLOR_BGRA2RGB,
    "mono8": cv2.COLOR_GRAY2RGB,
}


def encode_jpeg(rgb: np.ndarray, quality: int = JPEG_QUALITY) -> np.ndarray:
    """(H, W, 3) uint8 RGB to JPEG bytes as (n,) uint8.

    Raises:
        TheiaError: if `rgb` has another shape or dtype.
    """
    check_rgb(rgb)
    ok, encoded = cv2.imencode(
        ".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not ok:
        raise TheiaError(f"OpenCV could not encode a {rgb.shape} image as JPEG")
    return encoded.reshape(-1)


def check_rgb(rgb: np.ndarray) -> None:
    """Refuse anything but (H, W, 3) uint8.

    Raises:
        TheiaError: if `rgb` has another shape or dtype.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise TheiaError(f"an image must be (height, width, 3) uint8 RGB, not {rgb.shape} {rgb.dtype}")


def decode_image(image: Any) -> np.ndarray:
    """A decoded sensor_msgs/Image or CompressedImage as (H, W, 3) uint8 RGB.

    Raises:
        TheiaError: if the picture is damaged or its encoding is not supported.
    """
    return decode_compressed(image.data) if hasattr(image, "format") else decode_raw(image)


def decode_compressed(data: np.ndarray) -> np.ndarray:
    """JPEG or PNG bytes, (n,) uint8, as (H, W, 3) uint8 RGB.

    Raises:
        TheiaError: if OpenCV cannot decode them.
    """
    bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if bgr is None:
        raise TheiaError(f"a recorded image of {len(data)} bytes is no readable JPEG or PNG")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def decode_raw(image: Any) -> np.ndarray:
    """sensor_msgs/Image as (H, W, 3) uint8 RGB; padded rows are allowed.

    Raises:
        TheiaError: if its encoding is not supported or its size does not match its data.
    """
    channels = _CHANNELS.get(image.encoding)
    if channels is None:
        raise TheiaError(f"image encoding {image.encoding!r} is not supported; use {', '.join(_CHANNELS)}")
    width = image.width * channels
    if image.step < width or len(image.data) != image.step * image.height:
        raise TheiaError(
            f"an image of {image.width}x{image.height} {image.encoding} with step {image.step} "
            f"cannot have {len(image.data)} bytes"
        )
    rows = np.asarray(image.data, np.uint8).reshape(image.height, image.step)[:, :width]
    pixels = np.ascontiguousarray(rows).reshape(image.height, image.width, channels)
    return cv2.cvtColor(pixels, _TO_RGB[image.encoding]) if image.encoding in _TO_RGB else pixels
