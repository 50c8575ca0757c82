"""An encoder of ours as a teacher: its spatial tokens are the features."""

from pathlib import Path

import numpy as np

from theia_core.encoders.encoder import Encoder
from theia_core.encoders.feature_size import FeatureSize
from theia_core.encoders.registry import load_encoder, shipped_folder
from theia_core.encoders.spec import EncoderSpec, read_encoder_json
from theia_core.runtimes.safetensors_graph import weights_sha256
from theia_training.teachers.teacher import Teacher, TeacherOutput, TeacherSpec, tokens_to_output


class EncoderTeacher(Teacher):
    """Features of any encoder that `load_encoder` knows; equal to what the robot computes with it."""

    def __init__(self, name_or_path: str | Path, threads: int = 2) -> None:
        """Load an encoder; errors as for `load_encoder`."""
        self.encoder: Encoder = load_encoder(name_or_path, threads=threads)
        self.spec = spec_of(self.encoder.spec)
        self.weights_sha256 = weights_sha256(_weights_file(name_or_path))
        self.largest_batch = self.encoder.runtime.largest_batch

    def _forward(self, images: np.ndarray) -> TeacherOutput:
        spec = self.encoder.spec
        return tokens_to_output(
            self.encoder.runtime.run(images), self.spec.size, spec.special_tokens, spec.has_cls
        )


def spec_of(encoder: EncoderSpec) -> TeacherSpec:
    """Teacher's spec of an encoder's."""
    return TeacherSpec(
        name=encoder.name,
        size=FeatureSize(encoder.channels, *encoder.grid),
        preprocessing=encoder.preprocessing,
        licence=encoder.licence,
        source=encoder.source,
        description=encoder.description,
        has_cls=encoder.has_cls,
    )


def _weights_file(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    folder = shipped_folder() / path if (shipped_folder() / path / "encoder.json").is_file() else path
    if not folder.is_dir():
        return folder
    described = (folder / "encoder.json").is_file()
    return folder / (
        read_encoder_json(folder)[1].get("weights", "model.safetensors") if described else "model.safetensors"
    )
