"""The encoder node: camera frames in, spatial tokens out.

The newest frame wins; late ones are dropped and counted, never queued. The newest frames of several cameras
are encoded together. A raw frame goes from the message's memory straight into the resize (or, for an engine
that takes raw frames, into the network), and the tokens as float16 into the message: no other copies.
"""

import sys
import threading
import time
from dataclasses import dataclass

import numpy as np
from theia_msgs.msg import SpatialTokens
from theia_msgs.srv import Encode

from theia.messages.images import check_image, image_array
from theia.messages.stamps import Now
from theia.messages.tokens import tokens_message
from theia.nodekit.latest import LatestOfEach
from theia.nodekit.lifecycle import ManagedNode
from theia.nodekit.main import run_node
from theia.nodekit.parameters import declare, parameter
from theia.nodes.encoder_camera import Arrival, EncoderCamera
from theia_core.encoders import load_encoder
from theia_core.encoders.registry import RUNTIMES
from theia_core.engines.choice import choose_encoder
from theia_core.errors import TheiaError
from theia_core.policies import load_policy

OF_POLICY = MEASURED = "auto"
_WARM_UP_FRAMES = 3
_LOOK_S = 0.2


@dataclass(frozen=True)
class EncoderParameters:
    """Parameters of the encoder node."""

    encoder: str = parameter(
        OF_POLICY,
        "shipped name or folder of the encoder, or folder of an exported engine; auto: the encoder that "
        "`policy` was trained with",
    )
    policy: str = parameter("door", "policy that an encoder named auto has to serve")
    runtime: str = parameter(
        MEASURED,
        "what runs the network; auto measures what is there, certified engines included, and remembers the "
        "fastest",
        choices=RUNTIMES,
    )
    threads: int = parameter(2, "CPU threads of the network", low=1, high=64)
    cameras: tuple[str, ...] = parameter(
        (),
        "names of several cameras: frames of /NAME/image_raw become /theia/tokens/NAME; empty: one camera",
    )
    together_s: float = parameter(
        0.01, "how long a frame waits for those of the other cameras [s]", low=0.0, high=1.0
    )
    compressed: bool = parameter(False, "take the compressed images beside the raw ones' topic")
    width: int = parameter(
        640,
        "width of the camera image in pixels; another one is refused, 0 takes any",
        low=0,
        high=8192,
    )
    height: int = parameter(
        480,
        "height of the camera image in pixels; another one is refused, 0 takes any",
        low=0,
        high=8192,
    )
    encoding: str = parameter(
        "rgb8", "encoding of the camera image; another one is refused", choices=("rgb8",)
    )
    max_frame_age_s: float = parameter(
        0.25, "an older frame is dropped instead of encoded [s]", low=0.01, high=10.0
    )
    camera_silence_s: float = parameter(
        2.0, "a camera that is silent for so long is reported [s]", low=0.1, high=60.0
    )


class EncoderNode(ManagedNode):
    """Subscribes to cameras, publishes tokens with the frames' own headers; also encodes on request."""

    def __init__(self) -> None:
        """Declare parameters; `configure` loads the encoder."""
        super().__init__("encoder")
        self.parameters = declare(self, EncoderParameters)
        if len(set(self.parameters.cameras)) < len(self.parameters.cameras):
            raise TheiaError(f"cameras {self.parameters.cameras} holds a name twice; name each once")
        self._frames: LatestOfEach[Arrival] = LatestOfEach(self.parameters.cameras or ("",))
        self._cameras: dict[str, EncoderCamera] = {}
        self._encoding = threading.Lock()
        self._worker: threading.Thread | None = None
        self._working = False
        self.diagnostics.counts.update(frames_dropped=0, frames_too_old=0, frames_refused=0)
        self.diagnostics.before_publishing(self._gather)

    def configure(self) -> None:
        """Load the encoder and run it a few times, so that the first real frame is not slow."""
        wanted = self.parameters
        name = wanted.encoder
        if name == OF_POLICY:
            name = str(load_policy(wanted.policy).meta["encoder"])
        size = (wanted.height or 480, wanted.width or 640)
        if wanted.runtime == MEASURED:
            cameras = max(len(wanted.cameras), 1)
            self.encoder, choice = choose_encoder(name, size, threads=wanted.threads, batch=cameras)
            for label, reason in choice.refused.items():
                self.get_logger().warning(f"{label} is not used: {reason}")
            why = str(choice)
        else:
            self.encoder = load_encoder(name, wanted.runtime, threads=wanted.threads)
            why = self.encoder.runtime.name
        self.encoder.warm_up(*size, frames=_WARM_UP_FRAMES)
        self.diagnostics.facts |= {**self.encoder.describe(), "runtime_choice": why}
        for camera in wanted.cameras or ("",):
            self._cameras[camera] = EncoderCamera(
                self,
                camera,
                size=(wanted.width, wanted.height),
                encoding=wanted.encoding,
                compressed=wanted.compressed,
            )
        self._service = self.create_service(Encode, "~/encode", self._on_request)
        self.get_logger().info(f"loaded {self.encoder.encoder_id} on {why}")

    def activate(self) -> None:
        """Begin to take frames."""
        self._frames.clear()
        self._working = True
        self._worker = threading.Thread(target=self._work, name="encode", daemon=True)
        self._worker.start()
        for camera in self._cameras.values():
            camera.listen(self._on_frame)

    def deactivate(self) -> None:
        """Stop taking frames."""
        for camera in self._cameras.values():
            camera.ignore()
        self._working = False
        if self._worker is not None:
            self._worker.join(2.0)

    def clean_up(self) -> None:
        """Drop the encoder."""
        for camera in self._cameras.values():
            camera.close()
        self._cameras.clear()
        self.destroy_service(self._service)
        del self.encoder

    def _on_frame(self, camera: str, arrival: Arrival) -> None:
        self.diagnostics.rate(f"camera_{camera}" if camera else "camera").tick()
        age_s = Now.of(self).age_s(arrival.header.stamp)
        self.diagnostics.samples("camera_to_encoder_ms").add(age_s * 1000)
        self._frames.put(arrival, camera)

    # --- encoding, in a thread of its own ---

    def _work(self) -> None:
        while self._working:
            arrivals = self._frames.take(_LOOK_S, self.parameters.together_s)
            try:
                self._encode_and_publish(self._acceptable(arrivals))
            except Exception as error:  # the worker has no caller that could see it
                self.outcome.crash("encoding failed", error)
                return

    def _acceptable(self, arrivals: dict[str, Arrival]) -> list[tuple[EncoderCamera, Arrival, np.ndarray]]:
        """Those of the frames that are fresh and what was configured, with their pixels."""
        fit = []
        for name, arrival in arrivals.items():
            camera = self._cameras[name]
            if Now.of(self).age_s(arrival.header.stamp) > self.parameters.max_frame_age_s:
                self.diagnostics.counts["frames_too_old"] += 1
                continue
            try:
                pixels = camera.pixels(arrival.message)
                self.encoder.check_frame_size(*pixels.shape[:2])
            except TheiaError as error:
                self._refuse(camera, error)
                continue
            fit.append((camera, arrival, pixels))
        return fit

    def _refuse(self, camera: EncoderCamera, error: TheiaError) -> None:
        """A wrong frame before any right one is a mistake in the set-up; later, a camera that recovers."""
        self.diagnostics.counts["frames_refused"] += 1
        if camera.refused(error):
            self.get_logger().error(str(error))
        if not camera.good_frames:
            self.outcome.fail(str(error))
            self.diagnostics.error(str(error))

    def _encode_and_publish(self, fit: list[tuple[EncoderCamera, Arrival, np.ndarray]]) -> None:
        if not fit:
            return
        samples = self.diagnostics.samples
        taken_s = time.monotonic()
        tokens, encode_ms = self._encode([pixels for _, _, pixels in fit])
        for (camera, arrival, _), own in zip(fit, tokens, strict=True):
            samples("waited_ms").add((taken_s - arrival.received_s) * 1000)
            samples("frame_to_encoded_ms").add(Now.of(self).age_s(arrival.header.stamp) * 1000)
            started_s = time.perf_counter()
            camera.tokens.publish(self._message(own, arrival.header, encode_ms))
            samples("publish_ms").add((time.perf_counter() - started_s) * 1000)
            samples("frame_to_tokens_ms").add(Now.of(self).age_s(arrival.header.stamp) * 1000)
            self.diagnostics.rate("tokens").tick()
            if camera.accepted():
                self.get_logger().info(f"{camera.topic} sends what was configured again")

    def _encode(self, frames: list[np.ndarray]) -> tuple[np.ndarray, float]:
        """Tokens (B, N, d) float16 of frames (H, W, 3), and how long it took [ms]."""
        with self._encoding:
            started_s = time.perf_counter()
            tokens = self.encoder.encode_each(frames, dtype=np.float16)
            encode_ms = (time.perf_counter() - started_s) * 1000
        self.diagnostics.samples("encode_ms").add(encode_ms)
        return tokens, encode_ms

    def _message(self, tokens: np.ndarray, header, encode_ms: float) -> SpatialTokens:  # noqa: ANN001
        return tokens_message(tokens, self.encoder.spec.grid, self.encoder.encoder_id, header, encode_ms)

    # --- in the thread of the executor ---

    def _on_request(self, request: Encode.Request, response: Encode.Response) -> Encode.Response:
        try:
            check_image(request.image, 0, 0, self.parameters.encoding)
            tokens, encode_ms = self._encode([image_array(request.image)])
            response.tokens = self._message(tokens[0], request.image.header, encode_ms)
            response.success = True
        except TheiaError as error:
            response.success, response.message = False, str(error)
        return response

    def _gather(self) -> None:
        self.diagnostics.counts["frames_dropped"] = (
            self._frames.replaced + self.diagnostics.counts["frames_too_old"]
        )
        if not self.is_active or self.outcome.code is not None:
            return
        troubles = [camera.trouble for camera in self._cameras.values() if camera.trouble]
        troubles += [
            f"no frame on {camera.topic} for {silent_s:.1f} s: is the camera on?"
            for camera in self._cameras.values()
            if (silent_s := camera.silent_s()) > self.parameters.camera_silence_s
        ]
        self.diagnostics.warn("; ".join(troubles)) if troubles else self.diagnostics.ok("active")


def main() -> int:
    """Run the node."""
    return run_node(EncoderNode)


if __name__ == "__main__":
    sys.exit(main())
