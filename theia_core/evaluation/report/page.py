"""The whole page: for each task what succeeded, what differs, what failed; then deviations and provenance."""

from collections.abc import Mapping

from theia_core.analysis.page.html import page, section
from theia_core.errors import TheiaError
from theia_core.evaluation.report.films import films_section
from theia_core.evaluation.report.heat_map import heat_map_section
from theia_core.evaluation.report.measures import failures_section, guard_section, times_section
from theia_core.evaluation.report.provenance import deviations_section, provenance_section
from theia_core.evaluation.report.results import comparison_section, forest_section, results_section
from theia_core.evaluation.report.titles import run_titles
from theia_core.evaluation.runs import Evaluations, Run
from theia_core.tasks import Task


def report_page(evaluations: Evaluations) -> str:
    """The report of everything that `theia_core.evaluation.runs.gather` found, one self-contained page.

    Raises:
        TheiaError: if no trial counts.
    """
    runs = [run for run in evaluations.runs if run.records]
    if not runs:
        raise TheiaError("no trial counts; there is nothing to report")
    tasks = {run.task.id: run.task for run in runs}
    sections = []
    for task in tasks.values():
        own = [run for run in runs if run.task.id == task.id]
        named = dict(zip(run_titles(own), own, strict=True))
        sections += _of_task(task, named, heading=len(tasks) > 1)
    sections.append(deviations_section(evaluations.deviations))
    for task in tasks.values():
        own = [run for run in runs if run.task.id == task.id]
        sections.append(provenance_section(task, dict(zip(run_titles(own), own, strict=True))))
    sections.append(_limits(runs))
    title = f"Evaluation: {', '.join(task.title for task in tasks.values())}"
    return page(title, _lead(runs), [part for part in sections if part])


def _of_task(task: Task, runs: Mapping[str, Run], *, heading: bool) -> list[str]:
    parts = [
        results_section(task, runs),
        forest_section(task, runs),
        comparison_section(task, runs),
        films_section(task, runs),
        heat_map_section(task, runs),
        failures_section(task, runs),
        times_section(task, runs),
        guard_section(runs),
    ]
    return [section(task.title, task.instruction), *parts] if heading else parts


def _lead(runs: list[Run]) -> str:
    simulated = sum(len(run.records) for run in runs if run.identity["simulated"])
    real = sum(len(run.records) for run in runs) - simulated
    kinds = [f"{count} {kind}" for count, kind in ((simulated, "simulated"), (real, "real-robot")) if count]
    policies = {run.identity["policy"] for run in runs}
    seeds = ", ".join(sorted({str(run.seed) for run in runs}))
    return f"{' and '.join(kinds)} trials of {len(policies)} policies, evaluation seeds {seeds}."


def _limits(runs: list[Run]) -> str:
    simulated = [run for run in runs if run.identity["simulated"]]
    texts = [
        "Each policy is one training run: an interval here says how certain its success rate is, and not how "
        "much another training seed would change it."
    ]
    if simulated:
        texts.append(
            "Simulated and real trials are not the same task. A simulated rate ranks policies in simulation; "
            "it does not predict the rate on a robot, and must not be held against the paper's."
        )
    return section("What this does not show", " ".join(texts))
