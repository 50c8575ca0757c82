"""Run numbered jobs over processes, each with its own simulator, and show progress."""

import multiprocessing as mp
import os
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from tqdm import tqdm

_make: Callable[[], Callable[[Any], Any]] | None = None
_job: Callable[[Any], Any] | None = None


def run_parallel(
    factory: Callable[[Any], Callable[[int], Any]],
    options: Any,
    items: Iterable[Any],
    *,
    workers: int,
    label: str,
    on_result: Callable[[Any], None] | None = None,
) -> list[Any]:
    """Call `factory(options)` once a process, then the job that it returns once an item.

    Args:
        factory: makes a worker's job; a class or function that can be pickled. A job that runs in this
            process is closed at the end, if it has a `close`; other processes free what is theirs by ending.
        options: handed to the factory.
        items: one argument of the job each.
        workers: number of processes; 1 runs in this one.
        label: shown beside the progress bar.
        on_result: called in this process with every result as it comes (in any order).

    Returns:
        The results in the order of `items`.
    """
    items = list(items)
    if not items:
        return []
    results: list[Any] = []

    def collect(stream: Iterable[Any]) -> None:
        for result in tqdm(stream, total=len(items), desc=label, unit="episode", smoothing=0.1):
            results.append(result)
            if on_result is not None:
                on_result(result)

    if workers <= 1 or len(items) == 1:
        job = factory(options)
        try:
            collect(map(job, items))
        finally:
            if (close := getattr(job, "close", None)) is not None:
                close()
        return results
    context = mp.get_context("spawn")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with context.Pool(min(workers, len(items)), initializer=_start, initargs=(factory, options)) as pool:
        collect(pool.imap(_call, items))
    return results


def _start(factory: Callable[[Any], Callable[[int], Any]], options: Any) -> None:
    global _make
    _make = partial(factory, options)


def _call(item: Any) -> Any:
    # The first call makes the job: a pool replaces a process that fails at its start, for ever and silently.
    global _job
    if _job is None:
        assert _make is not None
        _job = _make()
    return _job(item)
