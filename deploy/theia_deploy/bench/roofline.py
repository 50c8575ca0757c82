"""The roofline picture: how far each runtime is from what this machine can do."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import NullFormatter, ScalarFormatter

_COLOURS = ("#3b6fb6", "#c0504d", "#4f9d69", "#8a63b8", "#c98a2b", "#4aa3a8", "#777777")
_MARKERS = "osD^vP*"


def write_roofline(result: dict[str, Any], path: Path) -> None:
    """Draw the rows of `bench_encoders` under the machine's two limits.

    Arithmetic intensity counts an engine's weights once a run, in the precision that it stores, which is all
    that must come from memory when one image is encoded; where they stay in the cache a point may lie above
    the slope. Products of 8-bit numbers have a higher peak than the one drawn.
    """
    peak, machine = result["peak"], result["machine"]
    rows = [row for row in result["rows"] if "gflops" in row]
    models = list(dict.fromkeys(row["model"] for row in rows))
    runtimes = list(dict.fromkeys(row["runtime"] for row in rows))
    figure, axes = plt.subplots(figsize=(7.2, 4.6), layout="constrained")
    intensity = np.geomspace(2, 2000, 200)
    roof = np.minimum(peak["gemm_gflops"], intensity * peak["copy_gb_s"])
    axes.plot(intensity, roof, color="black", lw=1.5)
    axes.annotate(
        f"float32 products: {peak['gemm_gflops']:.0f} GFLOP/s",
        (peak["gemm_gflops"] / peak["copy_gb_s"], peak["gemm_gflops"]),
        (0, 4),
        textcoords="offset points",
    )
    axes.annotate(
        f"memory: {peak['copy_gb_s']:.0f} GB/s",
        (2.6, 2.6 * peak["copy_gb_s"]),
        (6, -14),
        textcoords="offset points",
    )
    for row in rows:
        axes.plot(
            1e9 * row["gflop"] / row["weight_bytes"],
            row["gflops"],
            marker=_MARKERS[models.index(row["model"]) % len(_MARKERS)],
            color=_COLOURS[runtimes.index(row["runtime"]) % len(_COLOURS)],
            ms=9,
            ls="",
        )
    handles = [
        *(
            plt.Line2D([], [], color=_COLOURS[i % len(_COLOURS)], marker="s", ls="", label=name)
            for i, name in enumerate(runtimes)
        ),
        *(
            plt.Line2D([], [], color="grey", marker=_MARKERS[i % len(_MARKERS)], ls="", label=name)
            for i, name in enumerate(models)
        ),
    ]
    axes.legend(handles=handles, loc="lower right", fontsize=9, frameon=False)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="floating-point operations per byte of weights",
        ylabel="GFLOP/s, median of one image",
        title=f"{machine['cpu']}, {machine['threads']} threads",
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(ScalarFormatter())
        axis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.25, which="both")
    figure.savefig(path, dpi=130)
    plt.close(figure)
