"""What this machine can do at best: products of large float32 matrices, and moving memory."""

import time

import numpy as np
import torch

_SIDE = 1024
_COPY_MB = 128


def gemm_gflops(threads: int, rounds: int = 3) -> float:
    """Best rate of a 1024x1024x1024 product in float32 [GFLOP/s], on torch."""
    torch.set_num_threads(threads)
    left, right = torch.ones(_SIDE, _SIDE), torch.ones(_SIDE, _SIDE)
    return 2 * _SIDE**3 / _best_s(lambda: torch.mm(left, right), rounds) / 1e9


def copy_gb_s(rounds: int = 3) -> float:
    """Best rate of reading and writing memory by one thread [GB/s]."""
    source = np.ones(_COPY_MB * 1_000_000, np.uint8)
    target = np.empty_like(source)
    return 2 * source.nbytes / _best_s(lambda: np.copyto(target, source), rounds) / 1e9


def _best_s(work, rounds: int) -> float:  # noqa: ANN001
    best = float("inf")
    for _ in range(rounds + 1):
        started_s = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started_s)
    return best
