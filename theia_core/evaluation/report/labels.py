"""Names of stages, axes and cells as people read them."""

from collections.abc import Mapping

from theia_core.tasks.protocol import CellValue

_UNITS = {"_m": "m", "_rad": "rad", "_deg": "°", "_s": "s"}


def words(name: str) -> str:
    """A name without underscores."""
    return name.replace("_", " ")


def axis_label(axis: str) -> str:
    """An axis of a protocol with its unit: "base height [m]"."""
    name, unit = _parted(axis)
    return f"{name} [{unit}]" if unit else name


def cell_text(cell: Mapping[str, CellValue]) -> str:
    """Where a trial began: "base height 0.46 m, x position 0.06 m"."""
    texts = []
    for axis, value in cell.items():
        name, unit = _parted(axis)
        texts.append(f"{name} {value_text(value)} {unit}".rstrip())
    return ", ".join(texts)


def value_text(value: CellValue) -> str:
    """A value of an axis."""
    return words(value) if isinstance(value, str) else f"{value:g}"


def _parted(axis: str) -> tuple[str, str]:
    for suffix, unit in _UNITS.items():
        if axis.endswith(suffix):
            return words(axis.removesuffix(suffix)), unit
    return words(axis), ""
