"""Orders to inject a fault, as JSON objects: {"fault": NAME, FIELD: VALUE, ...}."""

from collections.abc import Mapping
from typing import Any

from theia_core.errors import TheiaError

MOST = 100_000


def parse_order(
    order: Mapping[str, Any], fields: Mapping[str, Mapping[str, Any]]
) -> tuple[str, dict[str, Any]]:
    """The fault's name and all of its values.

    Args:
        order: the fault's name under "fault", and its fields.
        fields: fault -> field -> default; None where one must be given.

    Raises:
        TheiaError: if fault or fields are unknown, or one is missing.
    """
    given = dict(order)
    fault = given.pop("fault", None)
    if fault not in fields:
        raise TheiaError(f"fault is {fault!r}; choose one of {', '.join(fields)}")
    known = fields[fault]
    missing = [name for name, default in known.items() if default is None and name not in given]
    if missing or set(given) - set(known):
        takes = ", ".join(known) or "nothing"
        raise TheiaError(f"fault {fault} takes {takes}, not {', '.join(given) or 'nothing'}")
    return fault, {**known, **given}


def number(values: Mapping[str, Any], name: str, most: float = MOST, least: float = 0.0) -> float:
    """A number among the values.

    Raises:
        TheiaError: if it is none, or out of range.
    """
    value = values[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise TheiaError(f"{name} must be a number from {least:g} to {most:g}, not {value!r}")
    return value


def injected(fault: str, values: Mapping[str, Any]) -> str:
    """What has been done, for people."""
    return f"injected {fault} " + ", ".join(f"{name} {value}" for name, value in values.items())
