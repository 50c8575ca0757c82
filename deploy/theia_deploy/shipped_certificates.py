"""Certificates that ship beside an encoder: an equal export on an equal runtime needs no new measurement."""

import shutil
from pathlib import Path

from theia_core.encoders.registry import shipped_folder
from theia_core.engines.certificate import read_certificate
from theia_core.engines.folder import CERTIFICATE, PAGE, EngineDescription

FOLDER = "certificates"


def has_shipped_certificate(encoder: str, kind: str) -> bool:
    """Whether a certificate ships for this kind of engine of this encoder."""
    return _path(encoder, kind).is_file()


def adopt_shipped_certificate(folder: Path, engine: EngineDescription, runtime: dict[str, str]) -> bool:
    """Put the shipped certificate beside the engine if it is of these very files and this runtime.

    Args:
        folder: the engine's folder.
        engine: what it is.
        runtime: what would run it here, as `EncoderRuntime.describe` says.

    Returns:
        Whether it was.
    """
    path = _path(engine.spec.name, engine.kind)
    if not path.is_file():
        return False
    certificate = read_certificate(path)
    if not certificate.covers(engine) or dict(certificate.runtime) != runtime or not certificate.passed:
        return False
    if not set(engine.inputs) <= set(certificate.measures):
        return False
    shutil.copyfile(path, folder / CERTIFICATE)
    shutil.copyfile(path.with_suffix(".html"), folder / PAGE)
    return True


def _path(encoder: str, kind: str) -> Path:
    return shipped_folder() / encoder / FOLDER / f"{kind}.json"
