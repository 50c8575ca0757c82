"""One camera of the encoder node: its topics, which of its frames it takes, and whether it is still there."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from theia_msgs.msg import SpatialTokens

from theia.messages.images import check_image, check_size, image_array, jpeg_array
from theia.nodekit.qos import STREAM
from theia.topics import IMAGE, TOKENS
from theia_core.errors import TheiaError


@dataclass(frozen=True)
class Arrival:
    """A frame as it came, and when (monotonic)."""

    message: Image | CompressedImage
    received_s: float

    @property
    def header(self) -> Header:
        """The frame's own header."""
        return self.message.header


class EncoderCamera:
    """Topics and state of one camera.

    Attributes:
        name: its name; empty for the only camera.
        trouble: what is wrong with its newest frame; empty if it was encoded.
        good_frames: frames that were accepted.
    """

    def __init__(
        self, node: Node, name: str, *, size: tuple[int, int], encoding: str, compressed: bool
    ) -> None:
        """Publish tokens for a camera; `listen` begins to receive.

        Args:
            node: the encoder node.
            name: "" for the camera and tokens of `theia.topics`, else the camera of /NAME/image_raw, whose
                tokens go to /theia/tokens/NAME.
            size: (width, height) in pixels of acceptable frames; 0 accepts any.
            encoding: of acceptable raw frames.
            compressed: take the JPEG or PNG frames of image_transport instead of raw ones.
        """
        self.name = name
        self.trouble = ""
        self.good_frames = 0
        self._node, self._size, self._encoding, self._compressed = node, size, encoding, compressed
        # So that a remapping of the image's topic holds for its compressed sister too.
        topic = node.resolve_topic_name(f"/{name}/image_raw" if name else IMAGE)
        self.topic = f"{topic}/compressed" if compressed else topic
        self.tokens = node.create_publisher(SpatialTokens, f"{TOKENS}/{name}" if name else TOKENS, STREAM)
        self._arrived_s: float | None = None

    def listen(self, on_frame: Callable[[str, Arrival], None]) -> None:
        """Receive frames from now on and hand them over."""

        def receive(message: Image | CompressedImage) -> None:
            self._arrived_s = time.monotonic()
            on_frame(self.name, Arrival(message, self._arrived_s))

        self._arrived_s = time.monotonic()
        kind = CompressedImage if self._compressed else Image
        self._subscription = self._node.create_subscription(kind, self.topic, receive, STREAM)

    def ignore(self) -> None:
        """Receive no more."""
        self._node.destroy_subscription(self._subscription)
        self._arrived_s = None

    def close(self) -> None:
        """Publish no more."""
        self._node.destroy_publisher(self.tokens)

    def silent_s(self) -> float:
        """How long nothing has come while listening [s]."""
        return 0.0 if self._arrived_s is None else time.monotonic() - self._arrived_s

    def pixels(self, message: Image | CompressedImage) -> np.ndarray:
        """The frame (height, width, 3) uint8 RGB; a raw one shares the message's memory.

        Raises:
            TheiaError: if it is not what was configured, or cannot be decoded.
        """
        if self._compressed:
            frame = jpeg_array(message)
            check_size(frame.shape[1], frame.shape[0], *self._size)
            return frame
        check_image(message, *self._size, self._encoding)
        return image_array(message)

    def accepted(self) -> bool:
        """Count a frame that was encoded; whether it ended a trouble."""
        recovered, self.trouble = bool(self.trouble), ""
        self.good_frames += 1
        return recovered

    def refused(self, error: TheiaError) -> bool:
        """Remember why a frame was not encoded; whether this is new."""
        is_new, self.trouble = str(error) != self.trouble, str(error)
        return is_new
