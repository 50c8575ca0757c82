"""The real frames on which an engine is measured: photographs, and camera frames of recorded episodes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from theia_core.episodes import find_episodes, load_episode, resample
from theia_core.errors import TheiaError
from theia_deploy.defaults import EPISODES, PHOTOS

HOW = (
    f"make them once: theia photos --set evaluation --out {PHOTOS}; "
    f"theia collect door --episodes 3 --out {EPISODES}"
)
_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class RealFrames:
    """Frames of both kinds.

    Attributes:
        photos: frames (H, W, 3) uint8 RGB of any size.
        camera: frames (H, W, 3) uint8 RGB of a robot's camera.
        joints: (C, 7) float32, the joints at each camera frame.
        origins: names of the photographs and of the episodes.
    """

    photos: list[np.ndarray]
    camera: list[np.ndarray]
    joints: np.ndarray
    origins: tuple[str, ...]

    def summary(self) -> dict[str, Any]:
        """Numbers of frames, their origins, and a hash of all pixels."""
        digest = hashlib.sha256()
        for frame in (*self.photos, *self.camera):
            digest.update(repr(frame.shape).encode())
            digest.update(np.ascontiguousarray(frame))
        return {
            "photos": len(self.photos),
            "camera": len(self.camera),
            "origins": list(self.origins),
            "pixels_sha256": digest.hexdigest(),
        }

    def inputs(self, frame_size: tuple[int, int] | None) -> list[np.ndarray]:
        """All frames; with a `frame_size` (H, W) those of another size are resized to it first."""
        frames = [*self.photos, *self.camera]
        if frame_size is None:
            return frames
        height, width = frame_size
        return [
            frame
            if frame.shape[:2] == frame_size
            else np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BILINEAR))
            for frame in frames
        ]


def read_real_frames(
    photos: Path, episodes: Path, most_photos: int = 24, most_camera: int = 60
) -> RealFrames:
    """Evenly spaced photographs of a folder and control steps of recorded episodes.

    Raises:
        TheiaError: if there are no photographs or no episodes.
    """
    files = sorted(path for path in photos.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not files:
        raise TheiaError(f"a certificate needs real frames and {photos} holds no photographs; {HOW}")
    recorded = find_episodes(episodes) if episodes.is_dir() else []
    if not recorded:
        raise TheiaError(f"a certificate needs real frames and {episodes} holds no episodes; {HOW}")
    chosen = [files[index] for index in _spread(len(files), most_photos)]
    pictures = []
    for path in chosen:
        with Image.open(path) as image:
            pictures.append(np.asarray(image.convert("RGB")))
    camera: list[np.ndarray] = []
    joints: list[np.ndarray] = []
    for path in recorded:
        steps = resample(load_episode(path))
        for index in _spread(len(steps), max(most_camera // len(recorded), 1)):
            camera.append(steps.images[index])
            joints.append(steps.joints[index])
    origins = (*(path.name for path in chosen), *(path.name for path in recorded))
    return RealFrames(pictures, camera, np.stack(joints), origins)


def _spread(count: int, most: int) -> list[int]:
    """At most `most` of `count` indices, evenly spaced."""
    return sorted({int(index) for index in np.linspace(0, count - 1, min(most, count))})
