"""How smoothly trials ran: jumps between executed actions, over all trials of a policy."""

from collections.abc import Sequence
from statistics import median
from typing import Any

_PLACES = ("seam", "elsewhere")


def summarise_jumps(records: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Median and largest of the trials' largest jumps.

    Args:
        records: trial records whose "jumps" hold what `theia_core.actions.execution.SeamMeter` measured.

    Returns:
        For each of seam_m, seam_rad, elsewhere_m and elsewhere_rad that was measured: {median, max}, in m or
        rad per step.
    """
    summary = {}
    for kind in (f"{place}_{unit}" for place in _PLACES for unit in ("m", "rad")):
        values = [record["jumps"].get(kind) for record in records if record.get("jumps")]
        if found := [value for value in values if value is not None]:
            summary[kind] = {"median": round(median(found), 6), "max": round(max(found), 6)}
    return summary


def jump_cells(records: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The median jump at seams and elsewhere, for people; "-" where there is none."""
    summary = summarise_jumps(records)
    cells = {}
    for place in _PLACES:
        metres, radians = summary.get(f"{place}_m"), summary.get(f"{place}_rad")
        cells[place] = "-"
        if metres is not None and radians is not None:
            cells[place] = f"{1000 * metres['median']:.1f} mm, {radians['median']:.3f} rad"
    return cells


def jump_line(records: Sequence[dict[str, Any]]) -> str:
    """`jump_cells` as a sentence."""
    cells = jump_cells(records)
    return (
        "largest jump from one executed action to the next, median of the trials: "
        f"{cells['seam']} at seams, {cells['elsewhere']} elsewhere"
    )
