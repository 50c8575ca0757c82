"""An encoder in use: frames in, tokens out, whatever network and runtime are behind it."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from theia_core.encoders.spec import EncoderSpec
from theia_core.errors import TheiaError
from theia_core.images import check_frames
from theia_core.runtimes.protocol import EncoderRuntime

REDUCTIONS = ("spatial", "all", "cls", "mean", "max")


class Encoder:
    """A loaded encoder; get one from `load_encoder`. Use an instance from one thread at a time.

    Attributes:
        spec: what it is.
        encoder_id: name@hash, where hash is the first 12 hex digits of the weights file's sha256.
        weights_sha256: that hash in full.
        runtime: what runs the network.
    """

    def __init__(self, spec: EncoderSpec, weights_hash: str, runtime: EncoderRuntime) -> None:
        """Join a spec, the sha256 of its weights and a runtime that has loaded them."""
        self.spec, self.weights_sha256 = spec, weights_hash
        self.encoder_id = f"{spec.name}@{weights_hash[:12]}"
        self.runtime = runtime

    def warm_up(self, height: int, width: int, frames: int = 3) -> None:
        """Encode blank frames of this size, so that the first real one is not slow.

        Raises:
            TheiaError: if this encoder's runtime takes frames of another size only.
        """
        blank = np.zeros((1, height, width, 3), np.uint8)
        for _ in range(frames):
            self.encode(blank)

    def describe(self) -> dict[str, str]:
        """Encoder, precision, and runtime with its version, provider and device."""
        return {
            "encoder_id": self.encoder_id,
            "precision": self.runtime.precision,
            **self.runtime.describe(),
        }

    def encode(
        self, frames: np.ndarray, reduce: str | None = None, dtype: type[np.floating] = np.float32
    ) -> np.ndarray:
        """Tokens of camera frames.

        Args:
            frames: (B, H, W, 3) or (H, W, 3) uint8 RGB of any resolution, or of the runtime's `frame_size`
                where it has one.
            reduce: None or "spatial" for the spatial tokens, "all" for special and spatial tokens, "cls" for
                the CLS token, "mean" or "max" over the spatial tokens.
            dtype: of the result; float16 is what goes over the wire.

        Returns:
            `dtype`, an array of its own: (B, h*w, d) row-major for "spatial", (B, T, d) for "all", (B, d)
                otherwise; B is 1 for one frame.

        Raises:
            TheiaError: if frames are not uint8 RGB or of a size that the runtime does not take, `reduce` is
                unknown or this encoder has no CLS token.
        """
        if reduce is not None and reduce not in REDUCTIONS:
            raise TheiaError(f"unknown reduction {reduce!r}; choose one of {', '.join(REDUCTIONS)}")
        if reduce == "cls" and not self.spec.has_cls:
            raise TheiaError(f"{self.spec.name} has no CLS token; use reduce='mean' for one vector per image")
        batch = check_frames(frames)
        step = self.runtime.largest_batch
        parts = [
            self._reduce(self.runtime.run(self._inputs(batch[start : start + step])), reduce, dtype)
            for start in range(0, len(batch), step)
        ]
        if not parts:
            raise TheiaError("frames hold no frame; give at least one")
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def encode_each(self, frames: Sequence[np.ndarray], dtype: type[np.floating] = np.float32) -> np.ndarray:
        """Spatial tokens of frames that lie in different places, such as those of several cameras.

        No pixel is copied before it is resized, or before the one copy by which frames become one batch for a
        runtime that takes raw frames.

        Args:
            frames: B frames (H, W, 3) uint8 RGB, each of any resolution, or all of the runtime's `frame_size`
                where it has one.
            dtype: of the result; float16 is what goes over the wire.

        Returns:
            (B, h*w, d) `dtype`, an array of its own.

        Raises:
            TheiaError: as for `encode`.
        """
        if len(frames) == 1:
            return self.encode(frames[0], dtype=dtype)
        if not frames:
            raise TheiaError("frames hold no frame; give at least one")
        if self.runtime.frame_size is not None:
            for frame in frames:
                self.check_frame_size(*check_frames(frame).shape[1:3])
            return self.encode(np.stack(frames), dtype=dtype)
        preprocessing = self.spec.preprocessing
        images = np.empty((len(frames), 3, preprocessing.size, preprocessing.size), np.float32)
        for index, frame in enumerate(frames):
            preprocessing.apply(frame, out=images[index : index + 1])
        step = self.runtime.largest_batch
        parts = [
            self._reduce(self.runtime.run(images[start : start + step]), None, dtype)
            for start in range(0, len(images), step)
        ]
        return np.concatenate(parts)

    def check_frame_size(self, height: int, width: int) -> None:
        """Make sure that frames of this size can be encoded.

        Raises:
            TheiaError: if the runtime takes raw frames of another size only.
        """
        wanted = self.runtime.frame_size
        if wanted is not None and (height, width) != wanted:
            raise TheiaError(
                f"this engine of {self.spec.name} takes frames of {wanted[0]}x{wanted[1]}, not "
                f"{height}x{width} (height x width); export it with --frame {height}x{width}, or set the "
                "camera to its size"
            )

    def translate(self, frames: np.ndarray) -> dict[str, np.ndarray]:
        """What the encoder's translators predict of each teacher's features.

        Args:
            frames: (B, H, W, 3) or (H, W, 3) uint8 RGB.

        Returns:
            Teacher name -> (B, h*w, C) float32, row-major, in the teacher's normalised feature space.

        Raises:
            TheiaError: if this encoder was loaded without translators.
        """
        if not getattr(self.runtime, "teachers", ()):
            raise TheiaError(
                f"{self.spec.name} on {self.runtime.name} has no feature translators; load a Theia "
                "checkpoint that has them, with runtime='torch'"
            )
        runtime: Any = self.runtime
        predictions: dict[str, np.ndarray] = runtime.translate(self.spec.preprocessing.apply(frames))
        return predictions

    def at_resolution(self, size: int) -> "Encoder":
        """The same encoder on another input resolution, with (size / patch)^2 spatial tokens.

        Args:
            size: side of the input in pixels, a multiple of the patch size.

        Raises:
            TheiaError: if the network takes one size only, or `size` is no multiple of its patch size.
        """
        patch = self.runtime.patch
        if patch is None:
            raise TheiaError(
                f"{self.spec.name} on {self.runtime.name} takes {self.spec.preprocessing.size} pixels only, "
                f"not {size}; a Theia checkpoint takes other sizes with runtime='torch'"
            )
        if size < patch or size % patch:
            raise TheiaError(
                f"an input of {size} pixels does not divide into patches; use multiples of {patch}"
            )
        other = copy.copy(self)
        other.spec = replace(
            self.spec,
            grid=(size // patch, size // patch),
            preprocessing=replace(self.spec.preprocessing, size=size),
        )
        return other

    def _inputs(self, batch: np.ndarray) -> np.ndarray:
        """What the runtime takes of frames (B, H, W, 3): the frames themselves, not copied, or images."""
        if self.runtime.frame_size is None:
            return self.spec.preprocessing.apply(batch)
        self.check_frame_size(*batch.shape[1:3])
        return batch

    def _reduce(self, tokens: np.ndarray, reduce: str | None, dtype: type[np.floating]) -> np.ndarray:
        spatial = tokens[:, self.spec.special_tokens :]
        if reduce == "all":
            reduced = tokens
        elif reduce == "cls":
            reduced = tokens[:, 0]
        elif reduce == "mean":
            reduced = spatial.mean(axis=1, dtype=np.float32)
        elif reduce == "max":
            reduced = spatial.max(axis=1)
        else:
            reduced = spatial
        # One copy: a runtime may overwrite its own array at the next call.
        return reduced.astype(dtype, order="C")
