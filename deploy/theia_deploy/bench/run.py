"""The benchmark: models on runtimes, timed in turn, beside the machine's own peak."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from tqdm import tqdm

from theia_core.errors import TheiaError
from theia_core.runtimes.machine import machine_facts
from theia_deploy.bench.models import BenchModel, bench_model, engine_of, weight_bytes_of
from theia_deploy.bench.peak import copy_gb_s, gemm_gflops
from theia_deploy.bench.worker import Worker

_PEAK_EVERY = 3


def bench_encoders(
    models: Sequence[str], runtimes: Sequence[str], *, threads: int = 2, rounds: int = 20
) -> dict[str, Any]:
    """Measure every model on every runtime.

    All runtimes of a model are loaded at the same time, each in its own process, and take turns run by run,
    so that what else the machine does meets all of them; the machine's peak is measured between them.

    Args:
        models: "tiny", "small", "base" (made-up weights), shipped names or folders.
        runtimes: keys of `models.ENGINES`.
        threads: CPU threads of every runtime.
        rounds: runs of each.

    Returns:
        `machine`, `peak` and `rows`; a runtime that cannot run here has a row with `error` alone.

    Raises:
        TheiaError: if a model cannot be loaded.
    """
    graphs: dict[str, onnx.ModelProto] = {}
    rows: list[dict[str, Any]] = []
    peaks, copies = [], []
    for name in models:
        model = bench_model(name, threads)
        workers: dict[str, Worker] = {}
        times: dict[str, list[float]] = {}
        weights: dict[str, int] = {}
        errors: dict[str, str] = {}
        try:
            for runtime in runtimes:
                try:
                    place = engine_of(model, runtime, graphs)
                    workers[runtime] = Worker(place, runtime, threads)
                    times[runtime], weights[runtime] = [], weight_bytes_of(model, place)
                except TheiaError as error:
                    errors[runtime] = str(error)
            for turn in tqdm(range(rounds), desc=f"bench {name}", unit="round", disable=None, leave=False):
                for runtime, worker in workers.items():
                    times[runtime].append(worker.time_ms())
                if turn % _PEAK_EVERY == 0:
                    peaks.append(gemm_gflops(threads))
                    copies.append(copy_gb_s())
        finally:
            for worker in workers.values():
                worker.close()
        rows += _rows(model, runtimes, workers, times, weights, errors)
    peak = {"gemm_gflops": round(max(peaks), 1), "copy_gb_s": round(max(copies), 1)}
    for row in rows:
        if "gflops" in row:
            row["percent_of_gemm_peak"] = round(100 * row["gflops"] / peak["gemm_gflops"], 1)
    return {
        "machine": {**machine_facts(), "threads": threads},
        "peak": peak,
        "rounds": rounds,
        "rows": rows,
    }


def _rows(
    model: BenchModel,
    runtimes: Sequence[str],
    workers: dict[str, Worker],
    times: dict[str, list[float]],
    weights: dict[str, int],
    errors: dict[str, str],
) -> list[dict[str, Any]]:
    medians = {runtime: float(np.median(values)) for runtime, values in times.items()}
    rows: list[dict[str, Any]] = []
    for runtime in runtimes:
        row: dict[str, Any] = {
            "model": model.name,
            "encoder_id": model.checkpoint.encoder_id,
            "runtime": runtime,
        }
        if runtime in errors:
            rows.append({**row, "error": errors[runtime]})
            continue
        values, median = times[runtime], medians[runtime]
        rows.append(
            {
                **row,
                "precision": workers[runtime].precision,
                "min_ms": round(min(values), 2),
                "median_ms": round(median, 2),
                "p95_ms": round(float(np.percentile(values, 95)), 2),
                "rss_mb": workers[runtime].rss_mb,
                "gflop": round(2 * model.macs / 1e9, 2),
                "gflops": round(2 * model.macs / 1e6 / median, 1),
                "weight_bytes": weights[runtime],
                "ratio_to_torch": _ratio(median, medians.get("torch")),
                "ratio_to_ort_fp32": _ratio(median, medians.get("onnxruntime")),
            }
        )
    return rows


def _ratio(median: float, other: float | None) -> float | None:
    return None if other is None else round(median / other, 3)
