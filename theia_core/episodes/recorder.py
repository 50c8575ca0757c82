"""Recording an episode from plain arrays, onto the topics that the robot's recorder uses."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from theia_core.actions.hand_state import STATE_NAMES
from theia_core.episodes.codec import check_rgb, encode_jpeg
from theia_core.episodes.messages import header, message, time_message, to_ns
from theia_core.episodes.topics import COMPRESSED_IMAGE, EXECUTED_ACTION, IMAGE, JOINT_STATES, SPOT_STATE
from theia_core.episodes.writer import EpisodeWriter

STEP_S = 0.2


class EpisodeRecorder(EpisodeWriter):
    """An EpisodeWriter for simulation and tests; a message's stamp is its log time too."""

    def __init__(self, path: Path, metadata: dict[str, Any], *, raw_images: bool = False) -> None:
        """Begin an episode; images are stored as JPEG (quality 95) unless `raw_images`."""
        super().__init__(path, metadata)
        self._raw_images = raw_images
        self._actions = 0

    def image(self, stamp_s: float, rgb: np.ndarray, frame_id: str = "camera") -> None:
        """Record a camera frame.

        Args:
            stamp_s: when it was taken.
            rgb: (H, W, 3) uint8 RGB.
            frame_id: frame of the camera.
        """
        if not self._raw_images:
            fields = {"format": "rgb8; jpeg compressed bgr8", "data": encode_jpeg(rgb)}
            compressed = message(
                "sensor_msgs/msg/CompressedImage", header=header(stamp_s, frame_id), **fields
            )
            self.write(COMPRESSED_IMAGE, compressed, to_ns(stamp_s))
            return
        check_rgb(rgb)
        height, width, _ = rgb.shape
        raw = message(
            "sensor_msgs/msg/Image",
            header=header(stamp_s, frame_id),
            height=height,
            width=width,
            encoding="rgb8",
            is_bigendian=0,
            step=3 * width,
            data=np.ascontiguousarray(rgb).reshape(-1),
        )
        self.write(IMAGE, raw, to_ns(stamp_s))

    def joints(
        self,
        stamp_s: float,
        names: Sequence[str],
        positions: Sequence[float] | np.ndarray,
        velocities: Sequence[float] | np.ndarray | None = None,
        efforts: Sequence[float] | np.ndarray | None = None,
    ) -> None:
        """Record joint states: (J,) positions in rad or m, and where known velocities and efforts.

        What Spot's policies are told goes the same way, on its own topic: its names decide.
        """
        state = message(
            "sensor_msgs/msg/JointState",
            header=header(stamp_s),
            name=list(names),
            position=_float64(positions),
            velocity=_float64(velocities),
            effort=_float64(efforts),
        )
        topic = SPOT_STATE if tuple(names) == STATE_NAMES else JOINT_STATES
        self.write(topic, state, to_ns(stamp_s))

    def action(
        self, stamp_s: float, action: np.ndarray, policy_id: str, action_space: str = "ee_delta"
    ) -> None:
        """Record the action (D,) whose execution began at `stamp_s`, as a chunk of one."""
        values = np.asarray(action, np.float32).reshape(-1)
        chunk = message(
            "theia_msgs/msg/ActionChunk",
            header=header(stamp_s),
            policy_id=policy_id,
            action_space=action_space,
            dt_s=STEP_S,
            horizon=1,
            dim=len(values),
            data=values,
            expires_at=time_message(to_ns(stamp_s + STEP_S)),
            sequence=self._actions,
            reason="",
        )
        self._actions += 1
        self.write(EXECUTED_ACTION, chunk, to_ns(stamp_s))

    def stage(self, stamp_s: float, name: str) -> None:
        """Record that a stage of the task was reached."""
        self.event("stage", name, stamp_s=stamp_s)


def _float64(values: Sequence[float] | np.ndarray | None) -> np.ndarray:
    return np.asarray(() if values is None else values, np.float64)
