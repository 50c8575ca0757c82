"""Runs a comparison: says what it costs, makes what is missing, and writes the page."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from threading import Event

from theia_core.errors import TheiaError
from theia_core.files import whole_file, write_json
from theia_sim.comparison.config import Comparison, read_comparison
from theia_sim.comparison.cost import cost_text
from theia_sim.comparison.entropy import norm_entropies
from theia_sim.comparison.page import comparison_page, comparison_result, policies_of
from theia_sim.comparison.steps import Step, run_step, steps


def compare_encoders(path: Path, *, resume: bool, report_only: bool = False) -> None:
    """Run the comparison that `path` describes, or go on with it; the page is written after each task.

    Args:
        path: its description.
        resume: go on where an earlier run has ended.
        report_only: run nothing; write the page about the trials that are there.

    Raises:
        TheiaError: if the description is wrong, results are there without `resume`, a step fails, or there is
            nothing to report; what is finished stays.
    """
    comparison = read_comparison(path)
    if report_only:
        _report(comparison)
        return
    planned = steps(comparison)
    begun = [task for task in comparison.tasks if comparison.ledger(task).exists()]
    if begun and not resume:
        raise TheiaError(
            f"{comparison.out} holds trials of {', '.join(begun)}; add --resume to go on with it"
        )
    print(cost_text(comparison, planned), flush=True)
    comparison.out.mkdir(parents=True, exist_ok=True)
    unfinished = [some for some in _up_to_each_evaluation(planned) if any(step.left() for step in some)]
    for some in unfinished:
        run_steps(some, comparison.workers, of=planned)
        _report(comparison)
    if not unfinished:
        _report(comparison)


def _up_to_each_evaluation(planned: Sequence[Step]) -> Iterator[list[Step]]:
    some: list[Step] = []
    for step in planned:
        some.append(step)
        if step.kind == "eval":
            yield some
            some = []


def run_steps(some: Sequence[Step], workers: int, of: Sequence[Step]) -> None:
    """Run what is left, one step after the other; trainings that follow each other run side by side.

    Args:
        some: what to run.
        workers: how many trainings run at once.
        of: all steps of the comparison, by which they are counted.

    Raises:
        TheiaError: if a step fails; those beside it end first, and no other begins.
    """
    failed = Event()  # known before a worker takes the next step, which the exception would not be

    def run(step: Step) -> None:
        if failed.is_set() or not step.left():
            return
        print(f"[{of.index(step) + 1}/{len(of)}] {step.title}", flush=True)
        try:
            run_step(step)
        except BaseException:
            failed.set()
            raise

    for kind, alike in groupby(some, key=lambda step: step.kind):
        pool = ThreadPoolExecutor(workers if kind == "train" else 1)
        try:
            for _ in pool.map(run, alike):
                pass
        finally:
            pool.shutdown(cancel_futures=True)


def _report(comparison: Comparison) -> None:
    policies = policies_of(comparison)
    tried = {one.encoder for some in policies.values() for one in some}
    if not tried:
        raise TheiaError(f"{comparison.out} holds no trial of this comparison yet; run it first")
    entropies = norm_entropies(comparison, tried)
    page, result = comparison.out / "report.html", comparison.out / "result.json"
    with whole_file(page) as file:
        file.write(comparison_page(comparison, policies, entropies).encode())
    write_json(result, comparison_result(comparison, policies, entropies))
    print(f"wrote {page}\nwrote {result}")
