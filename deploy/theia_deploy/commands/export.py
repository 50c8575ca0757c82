"""`theia export`: a checkpoint becomes an engine for this machine, with a certificate that it is the same."""

import argparse
import re
from pathlib import Path

from theia_core.cache import cache_folder
from theia_core.cli import Command
from theia_core.engines.folder import KINDS, PRECISIONS
from theia_core.errors import TheiaError
from theia_deploy.defaults import EPISODES, PHOTOS

_EXAMPLES = """examples:
  theia export theia-tiny --to onnx-int8                      8-bit linear layers for a CPU
  theia export theia-tiny --to onnx --frame 480x640           fp32; a second graph takes raw camera frames
  theia export theia-tiny --to onnx-int8 --frame 480x640 --policy door     a third one gives action chunks
  theia export runs/theia_base/encoder --to tensorrt --frame 480x640 --batch 2    on the machine with the GPU
  theia export theia-tiny --to tensorrt-rtx --targets sm86 sm89 --build-only      anywhere
Real frames for the certificate come from --photos and --episodes:
  theia photos --set evaluation --out data/photos_eval
  theia collect door --episodes 3 --out data/certificate_door
A shipped encoder's own certificates are used where the export is equal to theirs, byte for byte.
The exit code is 1 if the engine does not pass."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EXAMPLES
    parser.add_argument("checkpoint", help="shipped name, encoder's folder, or folder of a Theia checkpoint")
    parser.add_argument("--to", choices=KINDS, required=True, help="kind of engine")
    parser.add_argument("--precision", choices=PRECISIONS, help="fp32 for onnx, fp16 for TensorRT by default")
    parser.add_argument(
        "--frame", type=frame_size, metavar="HxW", help="size of the camera's frames, such as 480x640"
    )
    parser.add_argument("--policy", help="put this policy behind the encoder, in a third graph")
    parser.add_argument(
        "--batch", type=int, default=1, help="cameras that a TensorRT engine takes at once (1)"
    )
    parser.add_argument(
        "--targets", nargs="+", default=[], metavar="SM", help="GPU generations for tensorrt-rtx (all)"
    )
    parser.add_argument(
        "--out", type=Path, help="the engine's folder (~/.cache/theia/engines/NAME/KIND, where auto looks)"
    )
    parser.add_argument(
        "--build-only", action="store_true", help="measure nothing; the engine is not usable yet"
    )
    add_frames(parser)


def add_frames(parser: argparse.ArgumentParser) -> None:
    """Where the frames of a certificate come from, and what measures."""
    parser.add_argument("--photos", type=Path, default=PHOTOS, help="folder of photographs (%(default)s)")
    parser.add_argument("--episodes", type=Path, default=EPISODES, help="folder of episodes (%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (2)")


def frame_size(text: str) -> tuple[int, int]:
    """(H, W) of a text like 480x640."""
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if not found or "0" in found.groups():
        raise argparse.ArgumentTypeError(f"{text!r} is no frame size; give HEIGHTxWIDTH, such as 480x640")
    return int(found[1]), int(found[2])


def engines_folder() -> Path:
    """Where engines lie that `runtime:=auto` considers."""
    return cache_folder("engines")


def _run(arguments: argparse.Namespace) -> int:
    from theia_core.engines.opening import load_engine
    from theia_deploy.certify import certify
    from theia_deploy.export import check_precision, export_engine, load_checkpoint
    from theia_deploy.real_frames import read_real_frames
    from theia_deploy.shipped_certificates import adopt_shipped_certificate, has_shipped_certificate

    if arguments.batch < 1:
        raise TheiaError(f"--batch is {arguments.batch}; give 1 or more")
    precision = check_precision(arguments.to, arguments.precision)
    checkpoint = load_checkpoint(arguments.checkpoint, threads=arguments.threads)
    frames = calibration = None
    calibrated = precision == "int8" and arguments.to != "onnx-int8"
    if calibrated or not (
        arguments.build_only or has_shipped_certificate(checkpoint.spec.name, arguments.to)
    ):
        # Before anything is built: without real frames there is no certificate.
        frames = read_real_frames(arguments.photos, arguments.episodes)
    if calibrated:
        apply = checkpoint.spec.preprocessing.apply
        import numpy as np

        # Every other frame: the certificate is measured on those between them too.
        calibration = np.concatenate([apply(frame) for frame in frames.inputs(None)[::2]])
    folder = arguments.out or engines_folder() / checkpoint.spec.name / arguments.to
    engine = export_engine(
        checkpoint,
        folder,
        arguments.to,
        precision=precision,
        frame_size=arguments.frame,
        policy=arguments.policy,
        calibration=calibration,
        largest_batch=arguments.batch,
        targets=arguments.targets,
    )
    print(f"{engine.encoder_id} as {engine.kind} in {engine.precision}: {folder}")
    for name, sha in engine.files.items():
        print(f"  {name:<12} {(folder / name).stat().st_size / 1e6:8.1f} MB  sha256 {sha[:12]}...")
    if arguments.build_only:
        print(f"not certified; on the machine that runs it: theia certify {folder}")
        return 0
    running = load_engine(folder, threads=arguments.threads, certified=False)
    if adopt_shipped_certificate(folder, engine, running.runtime.describe()):
        print(f"the shipped certificate is of these very files: {folder / 'certificate.html'}")
        return 0
    frames = frames or read_real_frames(arguments.photos, arguments.episodes)
    certificate = certify(folder, checkpoint, frames, policy=arguments.policy, threads=arguments.threads)
    return report(certificate, folder)


def report(certificate, folder: Path) -> int:  # noqa: ANN001
    """Print what was measured; 1 if it does not pass."""
    for graph, values in certificate.measures.items():
        print(f"{graph}: " + ", ".join(f"{name} {value:.5g}" for name, value in values.items()))
    print(f"certificate: {folder / 'certificate.html'}")
    for failure in certificate.failures():
        print(f"FAILS: {failure}")
    return 0 if certificate.passed else 1


COMMAND = Command("make an engine of an encoder and prove it equal", _configure, _run)
