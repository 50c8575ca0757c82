"""sensor_msgs/Image and numpy."""

import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CompressedImage, Image

from theia_core.errors import TheiaError


def check_image(message: Image, width: int, height: int, encoding: str = "rgb8") -> None:
    """Refuse an image that is not what was configured; a width and height of 0 take any size.

    Raises:
        TheiaError: naming what came and what was expected.
    """
    if message.encoding != encoding:
        raise TheiaError(
            f"the camera sends {message.encoding or 'no'} encoding instead of {encoding}; "
            f"set the camera driver to {encoding}, nothing is converted silently"
        )
    check_size(message.width, message.height, width, height)
    if message.step < 3 * message.width or not 0 < message.step * message.height <= len(message.data):
        raise TheiaError(
            f"the camera's image holds {len(message.data)} bytes in rows of {message.step}, "
            f"too few for {message.width}x{message.height}; its driver is broken"
        )


def check_size(found_width: int, found_height: int, width: int, height: int) -> None:
    """Refuse a size in pixels that was not configured; 0 takes any.

    Raises:
        TheiaError: naming what came and what was expected.
    """
    if width not in (0, found_width) or height not in (0, found_height):
        raise TheiaError(
            f"the camera sends {found_width}x{found_height} instead of {width}x{height}; "
            "change the camera driver, or the parameters width and height if the policy was trained so"
        )


def image_array(message: Image) -> np.ndarray:
    """The pixels (height, width, 3) uint8 of a checked 8-bit colour image, sharing its memory."""
    rows = np.asarray(message.data)[: message.step * message.height].reshape(message.height, message.step)
    return rows[:, : 3 * message.width].reshape(message.height, message.width, 3)


def image_message(rgb: np.ndarray, stamp: Time, frame_id: str) -> Image:
    """An rgb8 image of (height, width, 3) uint8."""
    height, width, _ = rgb.shape
    message = Image(height=height, width=width, encoding="rgb8", is_bigendian=0, step=3 * width)
    message.header.stamp, message.header.frame_id = stamp, frame_id
    message.data.frombytes(memoryview(np.ascontiguousarray(rgb)).cast("B"))
    return message


def jpeg_array(message: CompressedImage) -> np.ndarray:
    """The pixels (height, width, 3) uint8 RGB of a compressed colour image.

    Raises:
        TheiaError: if it cannot be decoded.
    """
    import cv2

    data = np.asarray(message.data)
    bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if bgr is None:
        raise TheiaError(
            f"the camera's compressed image ({message.format or 'no format'}, {len(data)} bytes) cannot be "
            "decoded; set its driver to JPEG or PNG"
        )
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def jpeg_message(rgb: np.ndarray, stamp: Time, frame_id: str, quality: int = 95) -> CompressedImage:
    """A JPEG of (height, width, 3) uint8 RGB, as image_transport's compressed topics carry it."""
    import cv2

    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    message = CompressedImage(format="rgb8; jpeg compressed bgr8")
    message.header.stamp, message.header.frame_id = stamp, frame_id
    message.data.frombytes(memoryview(jpeg).cast("B"))
    return message
