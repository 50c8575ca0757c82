"""The encoder node: camera frames in, spatial tokens out.

The newest frame wins; late ones are dropped and counted, never queued.
"""

import sys
import threading
import time
from dataclasses import dataclass

import numpy as np
from sensor_msgs.msg import Image
from theia_msgs.msg import SpatialTokens
from theia_msgs.srv import Encode

from theia.messages.images import check_image, image_array
from theia.messages.stamps import Now
from theia.messages.tokens import tokens_message
from theia.nodekit.latest import Latest
from theia.nodekit.lifecycle import ManagedNode
from theia.nodekit.main import run_node
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.qos import STREAM
from theia.topics import IMAGE, TOKENS
from theia_core.encoders import load_encoder
from theia_core.errors import TheiaError
from theia_core.policies import load_policy

OF_POLICY = "auto"
_WARM_UP_FRAMES = 3
_LOOK_S = 0.2


@dataclass(frozen=True)
class EncoderParameters:
    """Parameters of the encoder node."""

    encoder: str = parameter(
        OF_POLICY, "shipped name or folder of the encoder; auto: the one `policy` was trained with"
    )
    policy: str = parameter("door", "policy that an encoder named auto has to serve")
    runtime: str = parameter("auto", "what runs the network", choices=("auto", "onnxruntime", "torch"))
    threads: int = parameter(2, "CPU threads of the network", low=1, high=64)
    width: int = parameter(
        640, "width of the camera image in pixels; another one is refused", low=16, high=8192
    )
    height: int = parameter(
        480, "height of the camera image in pixels; another one is refused", low=16, high=8192
    )
    encoding: str = parameter(
        "rgb8", "encoding of the camera image; another one is refused", choices=("rgb8",)
    )
    max_frame_age_s: float = parameter(
        0.25, "an older frame is dropped instead of encoded [s]", low=0.01, high=10.0
    )


class EncoderNode(ManagedNode):
    """Subscribes to the camera, publishes tokens with the frame's own header; also encodes on request."""

    def __init__(self) -> None:
        """Declare parameters; `configure` loads the encoder."""
        super().__init__("encoder")
        self.parameters = declare(self, EncoderParameters)
        self._frames: Latest[Image] = Latest()
        self._encoding = threading.Lock()
        self._worker: threading.Thread | None = None
        self._working = False
        self.diagnostics.counts.update(frames_dropped=0, frames_too_old=0)
        self.diagnostics.before_publishing(self._gather)

    def configure(self) -> None:
        """Load the encoder and run it a few times, so that the first real frame is not slow."""
        wanted = self.parameters
        name = wanted.encoder
        if name == OF_POLICY:
            name = str(load_policy(wanted.policy).meta["encoder"])
        self.encoder = load_encoder(name, wanted.runtime, threads=wanted.threads)
        blank = np.zeros((1, wanted.height, wanted.width, 3), np.uint8)
        for _ in range(_WARM_UP_FRAMES):
            self.encoder.encode(blank)
        self.diagnostics.facts["encoder_id"] = self.encoder.encoder_id
        self._tokens = self.create_publisher(SpatialTokens, TOKENS, STREAM)
        self._service = self.create_service(Encode, "~/encode", self._on_request)
        self.get_logger().info(f"loaded {self.encoder.encoder_id} on {self.encoder.runtime.name}")

    def activate(self) -> None:
        """Begin to take frames."""
        self._frames.clear()
        self._working = True
        self._worker = threading.Thread(target=self._work, name="encode", daemon=True)
        self._worker.start()
        self._camera = self.create_subscription(Image, IMAGE, self._on_frame, STREAM)

    def deactivate(self) -> None:
        """Stop taking frames."""
        self.destroy_subscription(self._camera)
        self._working = False
        if self._worker is not None:
            self._worker.join(2.0)

    def clean_up(self) -> None:
        """Drop the encoder."""
        self.destroy_publisher(self._tokens)
        self.destroy_service(self._service)
        del self.encoder

    def _on_frame(self, message: Image) -> None:
        self.diagnostics.rate("camera").tick()
        self.diagnostics.samples("camera_to_encoder_ms").add(Now.of(self).age_s(message.header.stamp) * 1000)
        try:
            check_image(message, self.parameters.width, self.parameters.height, self.parameters.encoding)
        except TheiaError as error:
            self.diagnostics.error(str(error))
            self.outcome.fail(str(error))
            return
        self._frames.put(message)

    def _work(self) -> None:
        while self._working:
            message = self._frames.take(_LOOK_S)
            if message is None:
                continue
            if Now.of(self).age_s(message.header.stamp) > self.parameters.max_frame_age_s:
                self.diagnostics.counts["frames_too_old"] += 1
                continue
            try:
                self._tokens.publish(self._encode(message))
            except Exception as error:  # the worker has no caller that could see it
                self.outcome.crash("encoding failed", error)
                return
            self.diagnostics.rate("tokens").tick()
            self.diagnostics.samples("frame_to_tokens_ms").add(
                Now.of(self).age_s(message.header.stamp) * 1000
            )

    def _encode(self, message: Image) -> SpatialTokens:
        with self._encoding:
            started_s = time.perf_counter()
            tokens = self.encoder.encode(image_array(message)[None])[0]
            encode_ms = (time.perf_counter() - started_s) * 1000
        self.diagnostics.samples("encode_ms").add(encode_ms)
        return tokens_message(
            tokens, self.encoder.spec.grid, self.encoder.encoder_id, message.header, encode_ms
        )

    def _on_request(self, request: Encode.Request, response: Encode.Response) -> Encode.Response:
        try:
            check_image(request.image, request.image.width, request.image.height, self.parameters.encoding)
            response.tokens, response.success = self._encode(request.image), True
        except TheiaError as error:
            response.success, response.message = False, str(error)
        return response

    def _gather(self) -> None:
        self.diagnostics.counts["frames_dropped"] = (
            self._frames.replaced + self.diagnostics.counts["frames_too_old"]
        )


def main() -> int:
    """Run the node."""
    return run_node(EncoderNode)


if __name__ == "__main__":
    sys.exit(main())
