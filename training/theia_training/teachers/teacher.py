"""What a teacher is: frames in, a map of features out, and what is known about it beforehand."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from theia_core.encoders.feature_size import FeatureSize
from theia_core.errors import TheiaError
from theia_core.images import Preprocessing, check_frames

if TYPE_CHECKING:
    import onnx


@dataclass(frozen=True)
class TeacherSpec:
    """What is known about a teacher before its weights are loaded.

    Attributes:
        name: name in the registry, in feature stores and in a student's translators.
        size: channels, height and width of its spatial features.
        preprocessing: how a frame becomes its input. A frame is squeezed to a square and never cropped, as
            the student sees it, so that cells of both grids look at the same part of the picture.
        licence: licence of the weights.
        source: where the weights come from.
        description: one sentence for people.
        has_cls: whether it has a CLS feature (C,) per image.
    """

    name: str
    size: FeatureSize
    preprocessing: Preprocessing
    licence: str
    source: str
    description: str
    has_cls: bool = False


@dataclass(frozen=True)
class TeacherOutput:
    """Features of B images.

    Attributes:
        spatial: (B, C, h, w) float32.
        cls: (B, C) float32, or None if the teacher has none.
    """

    spatial: np.ndarray
    cls: np.ndarray | None = None


class Teacher(ABC):
    """A loaded teacher; get one from `load_teacher`. Use an instance from one thread at a time.

    Attributes:
        spec: what it is.
        weights_sha256: hex sha256 that names its weights.
        largest_batch: images per forward pass; larger batches are cut.
        special_tokens: tokens before the spatial ones in `token_graph`'s output, CLS first.
    """

    spec: TeacherSpec
    weights_sha256: str
    largest_batch = 4
    special_tokens = 0

    def run(self, frames: np.ndarray) -> TeacherOutput:
        """Spatial features, and CLS features where the teacher has them, of one forward pass.

        Args:
            frames: (B, H, W, 3) or (H, W, 3) uint8 RGB of any resolution.

        Raises:
            TheiaError: if frames are not uint8 RGB, there are none, or the network's features have another
                shape than its spec says.
        """
        batch = check_frames(frames)
        if not len(batch):
            raise TheiaError("frames hold no frame; give at least one")
        parts = [
            self._checked(
                self._forward(self.spec.preprocessing.apply(batch[start : start + self.largest_batch]))
            )
            for start in range(0, len(batch), self.largest_batch)
        ]
        spatial = np.concatenate([part.spatial for part in parts])
        cls = [part.cls for part in parts if part.cls is not None]
        return TeacherOutput(spatial, np.concatenate(cls) if cls else None)

    def features(self, frames: np.ndarray) -> np.ndarray:
        """Spatial features (B, C, h, w) float32 of frames as for `run`."""
        return self.run(frames).spatial

    def cls_features(self, frames: np.ndarray) -> np.ndarray:
        """CLS features (B, C) float32 of frames as for `run`.

        Raises:
            TheiaError: as `run`, and if the teacher has no CLS feature.
        """
        cls = self.run(frames).cls if self.spec.has_cls else None
        if cls is None:
            raise TheiaError(f"teacher {self.spec.name} has no CLS feature; use its spatial features")
        return cls

    def decode(self, features: np.ndarray) -> dict[str, np.ndarray] | None:
        """What the teacher's remaining layers make of spatial features, its own or predicted ones.

        Args:
            features: (B, C, h, w) float32 as `features` returns them: with the teacher's own mean and
                deviation, not normalised.

        Returns:
            Name of a picture -> (B, H, W) float32 map, or (B, H, W, 3) uint8 RGB; None for a teacher whose
            remaining layers make no picture.

        Raises:
            TheiaError: if features have another shape than the teacher's.
        """
        return None

    def token_graph(self) -> "onnx.ModelProto":
        """The network as ONNX with its weights inside, for `export_teacher`.

        Returns:
            A graph (batch, 3, S, S) -> (batch, T, C) float32: `special_tokens` first, then the spatial tokens
            row by row.

        Raises:
            TheiaError: if this kind of teacher cannot be exported.
        """
        raise TheiaError(f"teacher {self.spec.name} cannot be exported as an encoder; choose another teacher")

    @abstractmethod
    def _forward(self, images: np.ndarray) -> TeacherOutput:
        """Features of preprocessed images (b, 3, S, S) float32, b at most `largest_batch`."""

    def _checked(self, output: TeacherOutput) -> TeacherOutput:
        size, shape = self.spec.size, output.spatial.shape
        if shape[1:] != (size.channels, size.height, size.width):
            raise TheiaError(
                f"teacher {self.spec.name} gave features {shape[1:]} instead of "
                f"({size.channels}, {size.height}, {size.width}); check its weights, layer and size"
            )
        return output

    def _check_features(self, features: np.ndarray) -> np.ndarray:
        """Features (B, C, h, w) as contiguous float32, for `decode`."""
        size = self.spec.size
        if features.ndim != 4 or features.shape[1:] != (size.channels, size.height, size.width):
            raise TheiaError(
                f"features of teacher {self.spec.name} have shape {features.shape}; give "
                f"(B, {size.channels}, {size.height}, {size.width})"
            )
        return np.ascontiguousarray(features, np.float32)


def tokens_to_output(
    tokens: np.ndarray, size: FeatureSize, special_tokens: int, has_cls: bool
) -> TeacherOutput:
    """Features out of a transformer's tokens (B, T, C), special tokens first, spatial ones row by row.

    Raises:
        TheiaError: if there are not exactly special_tokens + h*w tokens.
    """
    count = tokens.shape[1] - special_tokens
    if count != size.height * size.width:
        raise TheiaError(
            f"the network gives {count} spatial tokens, but {size.height} x {size.width} = "
            f"{size.height * size.width} are expected; check size, input size and number of special tokens"
        )
    spatial = tokens[:, special_tokens:].transpose(0, 2, 1).reshape(len(tokens), -1, size.height, size.width)
    cls = np.ascontiguousarray(tokens[:, 0], np.float32) if has_cls else None
    return TeacherOutput(np.ascontiguousarray(spatial, np.float32), cls)
