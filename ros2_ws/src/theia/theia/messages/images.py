"""sensor_msgs/Image and numpy."""

import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CompressedImage, Image

from theia_core.errors import TheiaError


def check_image(message: Image, width: int, height: int, encoding: str = "rgb8") -> None:
    """Refuse an image that is not what was configured.

    Raises:
        TheiaError: naming what came and what was expected.
    """
    if message.encoding != encoding:
        raise TheiaError(
            f"the camera sends {message.encoding or 'no'} encoding instead of {encoding}; "
            f"set the camera driver to {encoding}, nothing is converted silently"
        )
    if (message.width, message.height) != (width, height):
        raise TheiaError(
            f"the camera sends {message.width}x{message.height} instead of {width}x{height}; "
            "change the camera driver, or the parameters width and height if the policy was trained so"
        )
    if message.step < 3 * width or len(message.data) < message.step * height:
        raise TheiaError(
            f"the camera's image holds {len(message.data)} bytes in rows of {message.step}, "
            f"too few for {width}x{height}; its driver is broken"
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


def jpeg_message(rgb: np.ndarray, stamp: Time, frame_id: str, quality: int = 95) -> CompressedImage:
    """A JPEG of (height, width, 3) uint8 RGB, as image_transport's compressed topics carry it."""
    import cv2

    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    message = CompressedImage(format="rgb8; jpeg compressed bgr8")
    message.header.stamp, message.header.frame_id = stamp, frame_id
    message.data.frombytes(memoryview(jpeg).cast("B"))
    return message
