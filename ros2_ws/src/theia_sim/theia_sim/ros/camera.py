"""The simulated camera: renders in a thread of its own, so that joint_states never wait for a picture."""

import threading
from collections.abc import Callable

from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from theia.messages.images import image_message, jpeg_message
from theia.nodekit.diagnostics import Diagnostics
from theia.nodekit.qos import STREAM
from theia.nodekit.ticker import Ticker
from theia.topics import IMAGE
from theia_sim.scenes.rendering import Snapshot, SnapshotRenderer

_FIRST_PICTURE_TIMEOUT_S = 30.0


class CameraThread:
    """Publishes pictures at a fixed rate, stamped with the instant that they show.

    A JPEG for recorders is made only while somebody subscribes to it.
    """

    def __init__(
        self,
        node: Node,
        diagnostics: Diagnostics,
        renderer: SnapshotRenderer,
        snapshot: Callable[[], Snapshot],
        *,
        rate_hz: float,
        size: tuple[int, int],
        camera: str,
        on_error: Callable[[BaseException], None],
    ) -> None:
        """Prepare; `start` begins.

        Args:
            node: node to publish from.
            diagnostics: told rate and rendering times.
            renderer: renderer that only this thread uses.
            snapshot: gives the present state; called from this thread.
            rate_hz: pictures per second.
            size: (width, height) in pixels.
            camera: name of the scene's camera.
            on_error: told of an exception, which ends the pictures.
        """
        self._node, self._diagnostics = node, diagnostics
        self._on_error = on_error
        self._begun = threading.Event()
        self._renderer, self._snapshot = renderer, snapshot
        self._size, self._camera = size, camera
        self._images = node.create_publisher(Image, IMAGE, STREAM)
        compressed = f"{node.resolve_topic_name(IMAGE)}/compressed"
        self._jpegs = node.create_publisher(CompressedImage, compressed, STREAM)
        # The OpenGL context belongs to the thread that renders, which therefore also frees it.
        self._ticker = Ticker(1 / rate_hz, self._picture, "camera", self._failed, at_end=renderer.close)

    def start(self) -> None:
        """Begin to render; returns after the first picture or its failure, or with a warning after 30 s.

        OpenGL starts with the first picture and holds Python's lock for a good tenth of a second, in which no
        other thread of the process runs.
        """
        self._ticker.start()
        if not self._begun.wait(_FIRST_PICTURE_TIMEOUT_S):
            self._node.get_logger().warning(
                f"no picture within {_FIRST_PICTURE_TIMEOUT_S:.0f} s; is the machine overloaded?"
            )

    def stop(self) -> None:
        """End after the picture that is being drawn."""
        self._ticker.stop()

    def _picture(self) -> None:
        stamp = self._node.get_clock().now()
        snapshot = self._snapshot()
        rgb = self._renderer.render(snapshot, self._camera, *self._size)
        self._images.publish(image_message(rgb, stamp.to_msg(), f"{self._camera}_camera"))
        elapsed_ms = (self._node.get_clock().now() - stamp).nanoseconds * 1e-6
        self._diagnostics.samples("render_ms").add(elapsed_ms)
        self._diagnostics.rate("images").tick()
        if self._jpegs.get_subscription_count():
            self._jpegs.publish(jpeg_message(rgb, stamp.to_msg(), f"{self._camera}_camera"))
        self._begun.set()

    def _failed(self, error: BaseException) -> None:
        self._begun.set()
        self._on_error(error)
