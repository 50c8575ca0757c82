"""What a run leaves for people: CSV tables, TensorBoard events and a picture of the curves."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from theia_core.files import whole_file

Row = dict[str, float]


def write_table(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as CSV, whole or not at all; nothing is written for no rows."""
    if not rows:
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows({name: f"{value:.6g}" for name, value in row.items()} for row in rows)
    with whole_file(path) as file:
        file.write(text.getvalue().encode())


class TensorBoardLog:
    """Scalars for TensorBoard, from update `start` on: what an interrupted run wrote beyond is hidden."""

    def __init__(self, folder: Path, start: int) -> None:
        """Append events to `folder`."""
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(folder), purge_step=start)

    def write(self, prefix: str, row: Row) -> None:
        """Write every value of a row at its update."""
        for name, value in row.items():
            if name != "update":
                self._writer.add_scalar(f"{prefix}/{name}", value, int(row["update"]))

    def close(self) -> None:
        """Flush."""
        self._writer.close()


def draw_curves(path: Path, rows: Sequence[Row], validations: Sequence[Row]) -> None:
    """Picture of training and held-out loss, and of the held-out cosine of each teacher."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    left.plot([row["update"] for row in rows], [row["loss"] for row in rows], lw=0.8, label="training")
    updates = [row["update"] for row in validations]
    if updates:
        left.plot(
            updates, [row["loss"] for row in validations], "o-", ms=3, label="held-out (averaged weights)"
        )
        for name in (
            n for n in validations[0] if n.startswith("cosine_") and not n.startswith("cosine_centred_")
        ):
            teacher = name.removeprefix("cosine_")
            line = right.plot(updates, [row[name] for row in validations], "o-", ms=3, label=teacher)
            centred = [row[f"cosine_centred_{teacher}"] for row in validations]
            right.plot(updates, centred, "--", lw=1, color=line[0].get_color())
        right.legend(frameon=False, title="dashed: within the image")
    left.set(xlabel="update", ylabel="distillation loss (Eq. 1)")
    right.set(xlabel="update", ylabel="held-out cosine per token", ylim=(0, 1))
    left.legend(frameon=False)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    with whole_file(path) as file:
        figure.savefig(file, dpi=110, format="png")
