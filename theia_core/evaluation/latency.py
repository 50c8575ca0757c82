"""Summaries of measured times."""

from collections.abc import Iterable

import numpy as np


def latency_summary(samples_ms: Iterable[float]) -> dict[str, float]:
    """Number, median, 95th percentile and maximum of times in ms; those not finite are left out."""
    times = np.fromiter(samples_ms, float)
    times = times[np.isfinite(times)]
    if len(times) == 0:
        return {"n": 0}
    p50, p95 = np.percentile(times, [50, 95])
    return {
        "n": len(times),
        "p50": round(float(p50), 3),
        "p95": round(float(p95), 3),
        "max": round(float(times.max()), 3),
    }
