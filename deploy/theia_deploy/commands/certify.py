"""`theia certify`: measure an engine that is here already, on this machine and this runtime."""

import argparse
from pathlib import Path

from theia_core.cli import Command
from theia_deploy.commands.export import add_frames, report

_EXAMPLES = """examples:
  theia certify ~/.cache/theia/engines/theia-tiny/onnx-int8
  theia certify engines/base --checkpoint runs/theia_base/encoder --runtime onnxruntime-cuda
Needed after an engine came from another machine, or onnxruntime or TensorRT changed its version.
The exit code is 1 if the engine does not pass."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EXAMPLES
    parser.add_argument("engine", type=Path, help="the engine's folder")
    parser.add_argument("--checkpoint", help="what it was made of (the shipped encoder of its name)")
    parser.add_argument("--runtime", default="auto", help="what runs it (the one that it was made for)")
    parser.add_argument("--policy", help="policy for the action error (a shipped one of this encoder)")
    add_frames(parser)


def _run(arguments: argparse.Namespace) -> int:
    from theia_core.engines.folder import read_description
    from theia_deploy.certify import certify
    from theia_deploy.export import load_checkpoint
    from theia_deploy.real_frames import read_real_frames

    name = arguments.checkpoint or read_description(arguments.engine).spec.name
    checkpoint = load_checkpoint(name, threads=arguments.threads)
    certificate = certify(
        arguments.engine,
        checkpoint,
        read_real_frames(arguments.photos, arguments.episodes),
        policy=arguments.policy,
        runtime=arguments.runtime,
        threads=arguments.threads,
    )
    return report(certificate, arguments.engine)


COMMAND = Command("measure how far an engine is from its checkpoint", _configure, _run)
