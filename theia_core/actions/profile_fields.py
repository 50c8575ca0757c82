"""Reading a robot profile's YAML: where it lies, and its fields, checked one by one."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from theia_core.errors import TheiaError
from theia_core.files import deployed_file


def read_profile(name_or_path: str) -> tuple[Path, Any]:
    """Path and content of a robot profile, a shipped name or a YAML file; the content is not checked.

    Raises:
        TheiaError: if it cannot be read or is no YAML.
    """
    path = deployed_file("robots", name_or_path)
    try:
        raw = yaml.safe_load(path.read_text())
    except OSError as error:
        raise TheiaError(
            f"cannot read robot profile {name_or_path}: {error.strerror}; give a path to a .yaml file"
        ) from None
    except yaml.YAMLError as error:
        raise TheiaError(f"robot profile {path} is not valid YAML: {error}") from None
    return path, raw


def check_keys(part: str, raw: dict[str, Any], kind: type) -> None:
    """Make sure that `raw` has the fields of the dataclass `kind` and no others; ValueError if not."""
    wanted = {f.name for f in fields(kind)}
    if missing := sorted(wanted - set(raw)):
        raise ValueError(f"{part} lacks {', '.join(missing)}")
    if unknown := sorted(set(raw) - wanted, key=str):
        raise ValueError(f"{part} has unknown {', '.join(map(str, unknown))}")


def mapping(part: str, value: Any) -> dict[str, Any]:
    """A mapping, or ValueError."""
    if not isinstance(value, dict):
        raise ValueError(f"{part} must be a mapping, not {value!r}")
    return value


def number(key: str, value: Any) -> float:
    """A finite number, or ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise ValueError(f"{key} must be a finite number, not {value!r}")
    return float(value)


def positive(key: str, value: Any) -> float:
    """A finite number above 0, or ValueError."""
    if number(key, value) <= 0:
        raise ValueError(f"{key} must be above 0, not {value}")
    return float(value)


def vector(key: str, value: Any, length: int) -> np.ndarray:
    """An array of `length` finite numbers, or ValueError."""
    array = np.asarray(value, dtype=float)
    if array.shape != (length,) or not np.all(np.isfinite(array)):
        raise ValueError(f"{key} must be {length} finite numbers, not {value}")
    return array
