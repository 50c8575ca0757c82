"""Learning curves as a table and a picture."""

import csv
from collections.abc import Sequence
from pathlib import Path


def write_curves(folder: Path, rows: Sequence[dict[str, float]], picture_of: str = "") -> None:
    """Write curves.csv from one row per epoch, and curves.png if `picture_of` says what the loss is."""
    with (folder / "curves.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows({name: f"{value:.6g}" for name, value in row.items()} for row in rows)
    if picture_of:
        _draw(folder / "curves.png", rows, picture_of)


def _draw(path: Path, rows: Sequence[dict[str, float]], loss: str) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    epochs = [row["epoch"] for row in rows]
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    left.plot(epochs, [row["train_loss"] for row in rows], label="training (with noise)")
    left.plot(epochs, [row["validation_loss"] for row in rows], label="validation (averaged weights)")
    left.set(xlabel="epoch", ylabel=loss, yscale="log")
    left.legend(frameon=False)
    right.plot(epochs, [row["position_error_mm"] for row in rows], label="position [mm]")
    right.plot(epochs, [row["rotation_error_deg"] for row in rows], label="rotation [deg]")
    right.plot(epochs, [100 * row["gripper_wrong"] for row in rows], label="gripper wrong [%]")
    right.set(xlabel="epoch", ylabel="held-out error of the next action", yscale="symlog", ylim=(0, None))
    right.legend(frameon=False)
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.savefig(path, dpi=110)
