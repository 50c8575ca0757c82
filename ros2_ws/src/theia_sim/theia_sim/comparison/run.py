"""Runs a comparison: says what it costs, makes what is missing, and writes the page."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

from theia_core.errors import TheiaError
from theia_core.files import whole_file, write_json
from theia_sim.comparison.config import Comparison, read_comparison
from theia_sim.comparison.cost import cost_text
from theia_sim.comparison.entropy import norm_entropies
from theia_sim.comparison.page import comparison_page, comparison_result, policies_of
from theia_sim.comparison.steps import Step, run_step, steps


def compare_encoders(path: Path, *, resume: bool) -> None:
    """Run the comparison that `path` describes, or go on with it.

    Raises:
        TheiaError: if the description is wrong, results are there without `resume`, or a step fails; what is
            finished stays.
    """
    comparison = read_comparison(path)
    planned = steps(comparison)
    begun = [task for task in comparison.tasks if comparison.ledger(task).exists()]
    if begun and not resume:
        raise TheiaError(
            f"{comparison.out} holds trials of {', '.join(begun)}; add --resume to go on with it"
        )
    print(cost_text(comparison, planned), flush=True)
    comparison.out.mkdir(parents=True, exist_ok=True)
    run_steps(planned, comparison.workers)
    _report(comparison)


def run_steps(planned: Sequence[Step], workers: int) -> None:
    """Run what is left, one step after the other; trainings that follow each other run side by side.

    Args:
        planned: all steps.
        workers: how many trainings run at once.

    Raises:
        TheiaError: if a step fails; those beside it end first, and no other begins.
    """

    def run(numbered: tuple[int, Step]) -> None:
        number, step = numbered
        if step.left():
            print(f"[{number}/{len(planned)}] {step.title}", flush=True)
            run_step(step)

    for kind, some in groupby(enumerate(planned, start=1), key=lambda numbered: numbered[1].kind):
        pool = ThreadPoolExecutor(workers if kind == "train" else 1)
        try:
            for _ in pool.map(run, some):
                pass
        finally:
            pool.shutdown(cancel_futures=True)


def _report(comparison: Comparison) -> None:
    entropies = norm_entropies(comparison)
    policies = policies_of(comparison)
    page, result = comparison.out / "report.html", comparison.out / "result.json"
    with whole_file(page) as file:
        file.write(comparison_page(comparison, policies, entropies).encode())
    write_json(result, comparison_result(comparison, policies, entropies))
    print(f"wrote {page}\nwrote {result}")
