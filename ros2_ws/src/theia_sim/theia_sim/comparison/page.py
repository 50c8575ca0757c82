"""The page of a comparison, and the same numbers as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from itertools import product
from typing import Any

from theia_core.analysis.page.html import note, page, section, table
from theia_core.analysis.page.scatter_chart import Point, scatter_chart
from theia_core.evaluation.correlation import FEWEST, Correlation, pearson, spearman
from theia_core.evaluation.intervals import clopper_pearson, wilson
from theia_core.evaluation.report.heat_map import heat_map_section
from theia_core.evaluation.report.labels import words
from theia_core.evaluation.report.provenance import deviations_section, provenance_section
from theia_core.evaluation.report.results import comparison_section, forest_section, results_section
from theia_core.evaluation.runs import Deviation, Run, gather
from theia_core.policies.artefact import DESCRIPTION, read_policy
from theia_core.tasks import get_task
from theia_sim.comparison.config import Comparison

_LIMITS = (
    "Simulated trials only: the scenes, the arm and the demonstrations are ours, and the rates are no "
    "prediction for a robot and must not be held against the paper's. The encoders are frozen and small, "
    "and were distilled from few images. Each policy is one training run per training seed; an interval "
    "covers the chance of the trials and not that of training, so a difference between two encoders may be "
    "one between two training runs. The demonstrations are scripted and the same for all, which may suit "
    "some encoders more than others. A correlation over so few encoders is weak evidence whatever its size, "
    "and no cause."
)


@dataclass(frozen=True)
class Tried:
    """One policy of the comparison with its trials.

    Attributes:
        encoder: title of its encoder.
        seed: training seed.
        run: its trials.
    """

    encoder: str
    seed: int
    run: Run


Policies = dict[str, list[Tried]]


def policies_of(comparison: Comparison) -> Policies:
    """Task -> its policies with their trials, in the order of the configuration, without those not tried yet.

    Raises:
        TheiaError: if a ledger or a policy cannot be read.
    """
    found: Policies = {}
    for task in comparison.tasks:
        if not comparison.ledger(task).is_file():
            continue
        runs = {run.identity["policy"]: run for run in gather([comparison.ledger(task)]).runs}
        found[task] = []
        for seed in comparison.training_seeds:
            for title in comparison.encoders:
                folder = comparison.policy_folder(task, title, seed)
                if not (folder / DESCRIPTION).is_file():
                    continue
                meta = read_policy(folder)
                identity = f"{meta['name']}@{meta['weights_sha256'][:12]}"
                if identity in runs:
                    found[task].append(Tried(title, seed, runs[identity]))
    return found


def comparison_page(
    comparison: Comparison, policies: Policies, entropies: Mapping[str, Mapping[str, float]]
) -> str:
    """The page: one table of everything, norm entropy beside success, then each task by itself.

    Args:
        comparison: what was compared.
        policies: from `policies_of`.
        entropies: title of the encoder -> its measures of norm entropy.
    """
    sections = [_overview(comparison, policies), _entropy(comparison, policies, entropies)]
    deviations: list[Deviation] = []
    for task_id, tried in policies.items():
        task, named = get_task(task_id), _titled(comparison, tried)
        deviations += gather([comparison.ledger(task_id)]).deviations
        sections += [
            section(task.title, task.instruction),
            results_section(task, named),
            forest_section(task, named),
            comparison_section(task, named, _pairs(comparison, named)),
            heat_map_section(task, named),
        ]
    sections.append(deviations_section(deviations))
    sections += [
        provenance_section(get_task(task), _titled(comparison, tried)) for task, tried in policies.items()
    ]
    sections.append(section("What this does not show", _LIMITS))
    trials = sum(len(one.run.records) for tried in policies.values() for one in tried)
    encoders = {one.encoder for tried in policies.values() for one in tried}
    lead = (
        f"{trials} simulated trials: {len(policies)} tasks, {len(encoders)} frozen encoders, "
        f"equal demonstrations and training, trials of seed {comparison.evaluation_seed} that no "
        f"demonstration used; training seeds {', '.join(map(str, comparison.training_seeds))}."
    )
    return page("Encoders compared in simulation", lead, [part for part in sections if part])


def comparison_result(
    comparison: Comparison, policies: Policies, entropies: Mapping[str, Mapping[str, float]]
) -> dict[str, Any]:
    """The numbers of the page as JSON values."""
    return {
        "simulated": True,
        "evaluation_seed": comparison.evaluation_seed,
        "training_seeds": list(comparison.training_seeds),
        "encoders": {
            title: {
                "encoder_id": _encoder_id(policies, title),
                "what": one.what,
                **entropies.get(title, {}),
                "tasks": {
                    task: _counts(tried, title, get_task(task).stages) for task, tried in policies.items()
                },
            }
            for title, one in comparison.encoders.items()
        },
        "correlations": {
            name: {"pearson": vars(r), "spearman": vars(rho)}
            for name, (r, rho) in _correlations(policies, entropies).items()
        },
    }


def _overview(comparison: Comparison, policies: Policies) -> str:
    rows = []
    for title, one in comparison.encoders.items():
        cells = []
        for task, tried in policies.items():
            last = get_task(task).stages[-1]
            counts = _counts(tried, title, (last,))[last]
            cells.append(_cell(counts["successes"], counts["trials"]))
        what = f'<br><span class="range">{escape(one.what)}</span>' if one.what else ""
        rows.append([f"{escape(title)}{what}", *cells])
    head = ["Encoder", *(f"{get_task(task).title}: {words(get_task(task).stages[-1])}" for task in policies)]
    several = len(comparison.training_seeds) > 1
    pooled = (
        "Trials of all training seeds are taken together, which makes the intervals too narrow where "
        "training seeds differ."
        if several
        else "One training seed."
    )
    return section(
        "Success",
        f"The last stage of every task, with exact 95 % intervals. {pooled}",
        table(head, rows),
        *_not_tried(comparison, policies),
    )


def _not_tried(comparison: Comparison, policies: Policies) -> list[str]:
    """A note that says what is planned and not there, if anything."""
    missing = []
    for task, one in comparison.tasks.items():
        held = {title: len(_records(policies.get(task, []), title)) for title in comparison.encoders}
        planned = one.trials * len(comparison.training_seeds)
        short = [f"{title} {count} of {planned}" for title, count in held.items() if count < planned]
        if not any(held.values()):
            missing.append(f"{get_task(task).title}: no trials yet")
        elif short:
            missing.append(f"{get_task(task).title}: {', '.join(short)} trials")
    return [note(f"Planned and not done: {escape('; '.join(missing))}.")] if missing else []


def _entropy(comparison: Comparison, policies: Policies, entropies: Mapping[str, Mapping[str, float]]) -> str:
    points = []
    for title in entropies:
        successes, trials = _pooled(policies, title)
        if _in_all(policies, title):
            low, high = wilson(successes, trials)
            points.append(Point(title, entropies[title]["entropy"], successes / trials, low, high))
    rows = [
        [
            escape(point.label),
            f"{point.x:.3f}",
            f"{entropies[point.label]['entropy_own_range']:.3f}",
            f"{100 * point.y:.1f} %",
        ]
        for point in points
    ]
    parts = [table(["Encoder", "Entropy [nats]", "over their own range", "success, all tasks"], rows)]
    if points:
        parts.append(
            scatter_chart(
                points, "Norm entropy and success", "entropy of the token norms [nats]", "success, all tasks"
            )
        )
    found = _correlations(policies, entropies)
    if found:
        lines = [
            [escape(name), _correlation(r), _correlation(rho), str(r.n)] for name, (r, rho) in found.items()
        ]
        parts.append(table(["Entropy with success of", "Pearson", "Spearman", "encoders"], lines))
        parts.append(note("Intervals of 95 %, by Fisher's z and by Bonett and Wright."))
    else:
        parts.append(note(f"A correlation needs {FEWEST} encoders that differ in both; there are too few."))
    equal = _of_equal_norms(entropies)
    if equal:
        parts.append(
            note(
                f"All tokens of {', '.join(equal)} have the same norm, as a last LayerNorm without training "
                "gives it: the entropy 0 says nothing about what the tokens hold."
            )
        )
    left_out = [title for title, one in comparison.encoders.items() if not one.spatial]
    if left_out:
        parts.append(note(f"Left out, their tokens have no places: {', '.join(left_out)}."))
    partly = [title for title in entropies if not _in_all(policies, title)]
    if partly:
        parts.append(note(f"Not in the picture, as they were not tried in all tasks: {', '.join(partly)}."))
    return section(
        "Norm entropy and success",
        "The paper (Fig. 7) finds that encoders whose token norms are more diverse make better policies. "
        "Here: the entropy of the norms' histogram over first frames of the trials, beside the success of "
        "the policies.",
        *parts,
    )


def _correlations(
    policies: Policies, entropies: Mapping[str, Mapping[str, float]]
) -> dict[str, tuple[Correlation, Correlation]]:
    """Of entropy with success, for all tasks together and for each, where they can be computed.

    Also without encoders whose tokens all have the same norm, if there are any: one such point can make a
    correlation by itself. And of the entropy over the norms' own range, without those encoders.
    """
    measured = {title: one["entropy"] for title, one in entropies.items()}
    telling = [title for title in measured if title not in _of_equal_norms(entropies)]
    kinds = {"": measured}
    if len(telling) < len(measured):
        kinds[", without equal norms"] = {title: measured[title] for title in telling}
    kinds[", over their own range"] = {title: entropies[title]["entropy_own_range"] for title in telling}
    parts = {"all tasks": policies, **{task: {task: policies[task]} for task in policies}}
    found = {}
    for (name, some), (suffix, entropy) in product(parts.items(), kinds.items()):
        titles = [title for title in entropy if _in_all(some, title)]
        x = [entropy[title] for title in titles]
        y = [successes / trials for successes, trials in (_pooled(some, title) for title in titles)]
        if len(x) >= FEWEST and len(set(x)) > 1 and len(set(y)) > 1:
            found[name + suffix] = pearson(x, y), spearman(x, y)
    return found


def _of_equal_norms(entropies: Mapping[str, Mapping[str, float]]) -> list[str]:
    return [title for title, measures in entropies.items() if measures["entropy_own_range"] == 0]


def _titled(comparison: Comparison, tried: list[Tried]) -> dict[str, Run]:
    return {_title(comparison, one.encoder, one.seed): one.run for one in tried}


def _title(comparison: Comparison, encoder: str, seed: int) -> str:
    return f"{encoder}, seed {seed}" if len(comparison.training_seeds) > 1 else encoder


def _pairs(comparison: Comparison, tried: Mapping[str, Run]) -> list[tuple[str, str]]:
    """The planned pairs of which both have been tried, within each training seed."""
    pairs = [
        (_title(comparison, a, seed), _title(comparison, b, seed))
        for seed in comparison.training_seeds
        for a, b in comparison.pairs()
    ]
    return [(a, b) for a, b in pairs if a in tried and b in tried]


def _counts(tried: list[Tried], title: str, stages: tuple[str, ...]) -> dict[str, Any]:
    records = _records(tried, title)
    counts = {}
    for stage in stages:
        successes = sum(bool(record["stages"][stage]) for record in records)
        interval = list(clopper_pearson(successes, len(records)))
        counts[stage] = {"successes": successes, "trials": len(records), "ci95": interval}
    return counts


def _records(tried: list[Tried], title: str) -> list[dict[str, Any]]:
    return [record for one in tried if one.encoder == title for record in one.run.records]


def _in_all(policies: Mapping[str, list[Tried]], title: str) -> bool:
    """Whether an encoder has trials in each of several tasks."""
    return all(_records(tried, title) for tried in policies.values())


def _pooled(policies: Mapping[str, list[Tried]], title: str) -> tuple[int, int]:
    """Successes and trials of the last stages of several tasks."""
    successes = trials = 0
    for task, tried in policies.items():
        last = get_task(task).stages[-1]
        count = _counts(tried, title, (last,))[last]
        successes, trials = successes + count["successes"], trials + count["trials"]
    return successes, trials


def _encoder_id(policies: Policies, title: str) -> str | None:
    ids = [
        one.run.identity["encoder"] for tried in policies.values() for one in tried if one.encoder == title
    ]
    return ids[0] if ids else None


def _cell(successes: int, trials: int) -> str:
    if not trials:
        return "-"
    low, high = clopper_pearson(successes, trials)
    return (
        f"{successes}/{trials} = {100 * successes / trials:.0f} %"
        f'<br><span class="range">{100 * low:.0f} to {100 * high:.0f} %</span>'
    )


def _correlation(found: Correlation) -> str:
    low, high = found.ci95
    return f'{found.r:+.2f}<br><span class="range">{low:+.2f} to {high:+.2f}</span>'
