"""An engine on disk: engine.json says what it is and lists every file with its hash.

    engine.json         what it was made of and with, and the sha256 of each file
    model.onnx          images (B, 3, S, S) float32 -> all tokens (B, T, d)
    frames.onnx         raw camera frames (B, H, W, 3) uint8 -> all tokens, preprocessing in the graph
    policy.onnx         raw camera frames and joints (B, 7) -> action chunks (B, horizon, D)
    model.plan, frames.plan   TensorRT engines of these graphs
    certificate.json    how far its tokens are from the checkpoint's; `theia_core.engines.certificate`
    certificate.html    the same for people

All but engine.json and one graph may be absent.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from theia_core.encoders.spec import EncoderSpec
from theia_core.errors import TheiaError
from theia_core.files import file_sha256, write_json

FORMAT = 1
DESCRIPTION, CERTIFICATE, PAGE = "engine.json", "certificate.json", "certificate.html"
IMAGES, FRAMES, POLICY = "images", "frames", "policy"
INPUTS = (IMAGES, FRAMES)
GRAPH_FILES = {IMAGES: "model.onnx", FRAMES: "frames.onnx", POLICY: "policy.onnx"}
PLAN_FILES = {IMAGES: "model.plan", FRAMES: "frames.plan"}
KINDS = ("onnx", "onnx-int8", "tensorrt", "tensorrt-rtx")
PRECISIONS = ("fp32", "fp16", "int8")


@dataclass(frozen=True)
class EngineDescription:
    """What engine.json says.

    Attributes:
        kind: "onnx", "onnx-int8", "tensorrt" or "tensorrt-rtx".
        precision: "fp32", "fp16" or "int8".
        encoder_id: name@hash of the encoder that it was made of, which its tokens carry.
        checkpoint_sha256: hex sha256 of that encoder's weights file.
        spec: the encoder's layout.
        files: name -> hex sha256 of every file that is part of the engine.
        frame_size: (H, W) of the camera frames that its frames graph takes.
        largest_batch: images to encode at once.
        policy_id: whose chunks policy.onnx gives; empty without one.
        built_for: what a TensorRT engine is tied to: its version and the GPU or the targets.
        built_with: versions of what made it.
    """

    kind: str
    precision: str
    encoder_id: str
    checkpoint_sha256: str
    spec: EncoderSpec
    files: Mapping[str, str]
    frame_size: tuple[int, int] | None = None
    largest_batch: int = 1
    policy_id: str = ""
    built_for: Mapping[str, str] = field(default_factory=dict)
    built_with: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what no export writes."""
        if self.kind not in KINDS or self.precision not in PRECISIONS:
            raise TheiaError(
                f"an engine of kind {self.kind!r} and precision {self.precision!r} is unknown; kinds are "
                f"{', '.join(KINDS)}, precisions {', '.join(PRECISIONS)}"
            )

    @property
    def inputs(self) -> tuple[str, ...]:
        """What it can take: "images", "frames" or both."""
        names = GRAPH_FILES if self.kind.startswith("onnx") else PLAN_FILES
        return tuple(name for name in INPUTS if names[name] in self.files)

    def file_of(self, input_name: str) -> str:
        """Name of the file that takes "images" or "frames".

        Raises:
            TheiaError: if this engine has none.
        """
        if input_name not in self.inputs:
            remedy = "export it with --frame HxW" if input_name == FRAMES else "export it again"
            raise TheiaError(
                f"the engine of {self.encoder_id} takes {' and '.join(self.inputs) or 'nothing'}, "
                f"not {input_name}; {remedy}"
            )
        return (GRAPH_FILES if self.kind.startswith("onnx") else PLAN_FILES)[input_name]

    def write(self, folder: Path) -> None:
        """Write engine.json."""
        frame = list(self.frame_size) if self.frame_size else None
        entries = {**asdict(self), "spec": self.spec.to_dict(), "frame_size": frame}
        write_json(folder / DESCRIPTION, {"format": FORMAT, **entries})


def is_engine(folder: Path) -> bool:
    """Whether `folder` holds an engine."""
    return (folder / DESCRIPTION).is_file()


def read_engine(folder: Path) -> EngineDescription:
    """What the engine in `folder` is, after every file's hash was compared.

    Raises:
        TheiaError: if engine.json is absent or damaged, or a file is absent, truncated or another one.
    """
    description = read_description(folder)
    for name, expected in description.files.items():
        try:
            found = file_sha256(folder / name)
        except OSError as error:
            raise TheiaError(
                f"the engine in {folder} lacks {name} ({error.strerror}); export it again"
            ) from error
        if found != expected:
            raise TheiaError(
                f"{folder / name} has sha256 {found[:12]}... but {DESCRIPTION} names {expected[:12]}...: it "
                "is truncated, changed or of another model; export it again"
            )
    return description


def read_description(folder: Path) -> EngineDescription:
    """What engine.json says, its files not looked at.

    Raises:
        TheiaError: if it is absent or damaged.
    """
    path = folder / DESCRIPTION
    try:
        values: dict[str, Any] = json.loads(path.read_text())
        if values.pop("format") != FORMAT:
            raise ValueError(f"format is not {FORMAT}")
        frame = values["frame_size"]
        values["frame_size"] = (int(frame[0]), int(frame[1])) if frame else None
        return EngineDescription(**{**values, "spec": EncoderSpec.from_dict(values["spec"])})
    except OSError as error:
        raise TheiaError(f"{folder} holds no engine: it has no readable {DESCRIPTION}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TheiaError(f"{path} is not an engine's description ({error}); export it again") from error
