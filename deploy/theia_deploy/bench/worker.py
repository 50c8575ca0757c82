"""A process with one encoder in it, that times a run when it is asked to."""

import contextlib
import multiprocessing
import os
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from theia_core.engines.folder import is_engine
from theia_core.engines.opening import load_engine
from theia_core.errors import TheiaError

_START_TIMEOUT_S = 300.0
_RUN_TIMEOUT_S = 120.0


class Worker:
    """Handle of a process that holds one encoder on one runtime.

    Attributes:
        precision: of its encoder.
        rss_mb: memory of the process after its first run.
    """

    def __init__(self, place: str, runtime: str, threads: int) -> None:
        """Start the process and load the encoder.

        Raises:
            TheiaError: what the process says when it cannot load it.
        """
        context = multiprocessing.get_context("spawn")
        self._pipe, child = context.Pipe()
        self._process = context.Process(target=_serve, args=(child, place, runtime, threads), daemon=True)
        self._process.start()
        child.close()
        started = self._answer(_START_TIMEOUT_S)
        self.precision, self.rss_mb = str(started["precision"]), float(started["rss_mb"])

    def time_ms(self) -> float:
        """Milliseconds of one more run."""
        self._pipe.send("run")
        return float(self._answer(_RUN_TIMEOUT_S)["ms"])

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):  # it has ended already
            self._pipe.send(None)
        self._process.join(5.0)
        if self._process.is_alive():
            self._process.kill()

    def _answer(self, timeout_s: float) -> dict[str, Any]:
        try:
            if not self._pipe.poll(timeout_s):
                raise TheiaError(f"a run took more than {timeout_s:.0f} s; is the machine busy?")
            answer: dict[str, Any] = self._pipe.recv()
        except EOFError:
            raise TheiaError("the measuring process ended; is there enough memory?") from None
        if "error" in answer:
            raise TheiaError(answer["error"])
        return answer


def _serve(pipe: Connection, place: str, runtime: str, threads: int) -> None:
    try:
        encoder = _load(place, runtime, threads)
        size = encoder.spec.preprocessing.size
        images = np.random.default_rng(0).normal(0, 0.5, (1, 3, size, size)).astype(np.float32)
        for _ in range(2):
            encoder.runtime.run(images)
    except TheiaError as error:
        pipe.send({"error": str(error)})
        return
    pipe.send({"precision": encoder.runtime.precision, "rss_mb": _rss_mb()})
    while pipe.recv() is not None:
        started_s = time.perf_counter()
        encoder.runtime.run(images)
        pipe.send({"ms": (time.perf_counter() - started_s) * 1000})


def _load(place: str, runtime: str, threads: int):  # noqa: ANN202
    from theia_core.encoders import load_encoder

    if not is_engine(Path(place)):
        return load_encoder(place, runtime, threads=threads)
    provider = "onnxruntime" if runtime == "onnxruntime-int8" else runtime
    # Timing proves nothing about its tokens: no certificate is asked for.
    return load_engine(Path(place), provider, threads=threads, graph="images", certified=False)


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)
