"""An encoder in use: frames in, tokens out, whatever network and runtime are behind it."""

import copy
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
        runtime: what runs the network.
    """

    def __init__(self, spec: EncoderSpec, weights_hash: str, runtime: EncoderRuntime) -> None:
        """Join a spec, the sha256 of its weights and a runtime that has loaded them."""
        self.spec = spec
        self.encoder_id = f"{spec.name}@{weights_hash[:12]}"
        self.runtime = runtime

    def encode(self, frames: np.ndarray, reduce: str | None = None) -> np.ndarray:
        """Tokens of camera frames.

        Args:
            frames: (B, H, W, 3) or (H, W, 3) uint8 RGB of any resolution.
            reduce: None or "spatial" for the spatial tokens, "all" for special and spatial tokens, "cls" for
                the CLS token, "mean" or "max" over the spatial tokens.

        Returns:
            float32: (B, h*w, d) row-major for "spatial", (B, T, d) for "all", (B, d) otherwise; B is 1 for
                one frame.

        Raises:
            TheiaError: if frames are not uint8 RGB, `reduce` is unknown or this encoder has no CLS token.
        """
        if reduce is not None and reduce not in REDUCTIONS:
            raise TheiaError(f"unknown reduction {reduce!r}; choose one of {', '.join(REDUCTIONS)}")
        if reduce == "cls" and not self.spec.has_cls:
            raise TheiaError(f"{self.spec.name} has no CLS token; use reduce='mean' for one vector per image")
        batch = check_frames(frames)
        step = self.runtime.largest_batch
        parts = [
            self._reduce(self.runtime.run(self.spec.preprocessing.apply(batch[start : start + step])), reduce)
            for start in range(0, len(batch), step)
        ]
        if not parts:
            raise TheiaError("frames hold no frame; give at least one")
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

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

    def _reduce(self, tokens: np.ndarray, reduce: str | None) -> np.ndarray:
        spatial = tokens[:, self.spec.special_tokens :]
        if reduce == "all":
            return tokens
        if reduce == "cls":
            return tokens[:, 0]
        if reduce == "mean":
            return np.asarray(spatial.mean(axis=1))
        if reduce == "max":
            return np.asarray(spatial.max(axis=1))
        return np.ascontiguousarray(spatial)
