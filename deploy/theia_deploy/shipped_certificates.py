"""Certificates that ship beside an encoder: an equal export on an equal runtime needs no new measurement."""

import shutil
from pathlib import Path

from theia_core.encoders.registry import shipped_folder
from theia_core.engines.certificate import read_certificate
from theia_core.engines.folder import CERTIFICATE, PAGE, EngineDescription

FOLDER = "certificates"


def shipped_certificate(engine: EngineDescription) -> Path | None:
    """The certificate, as JSON, that ships for the encoder and kind of an engine; None if there is none."""
    path = shipped_folder() / engine.spec.name / FOLDER / f"{engine.kind}.json"
    return path if path.is_file() else None


def adopt_shipped_certificate(folder: Path, engine: EngineDescription, runtime: dict[str, str]) -> bool:
    """Put the shipped certificate beside the engine if it is of these very files and this runtime.

    Args:
        folder: the engine's folder.
        engine: what it is.
        runtime: what would run it here, as `EncoderRuntime.describe` says.

    Returns:
        Whether it was.
    """
    path = shipped_certificate(engine)
    if path is None:
        return False
    certificate = read_certificate(path)
    if not certificate.covers(engine) or dict(certificate.runtime) != runtime or not certificate.passed:
        return False
    if not set(engine.inputs) <= set(certificate.measures):
        return False
    shutil.copyfile(path, folder / CERTIFICATE)
    shutil.copyfile(path.with_suffix(".html"), folder / PAGE)
    return True
