"""What an evaluation leaves behind: tables for people, Markdown for a README, JSON for programs."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from theia_core.evaluation import (
    comparison_entry,
    comparison_table,
    jump_line,
    side_by_side_table,
    stage_table,
    summarise,
)
from theia_core.tasks import Task
from theia_sim.contenders import Contender, titles


def print_results(
    task: Task, contenders: Sequence[Contender], records: list[list[dict]], seed: int, seconds: float
) -> None:
    """Tables of the stages, and of each two contenders where there are several."""
    if len(contenders) == 1:
        who, ran = contenders[0], len(records[0])
        print(
            f"{task.id}: {who.policy_id} on {who.encoder_id}, {who.execution}, {ran} simulated trials, ",
            end="",
        )
        print(f"seed {seed}, {seconds:.0f} s")
        print(stage_table(records[0], task=task))
        print(jump_line(records[0]))
        return
    _, names = titles(contenders)
    for title, who in zip(names, contenders, strict=True):
        print(f"{title}: {who.policy_id} on {who.encoder_id}, {who.execution}")
    print(
        f"{task.id}: {len(records[0])} simulated trials each, the same for all, seed {seed}, {seconds:.0f} s"
    )
    columns = dict(zip(names, records, strict=True))
    print(side_by_side_table(columns, task=task), end="\n\n")
    print(comparison_table(columns, task=task))


def markdown(
    task: Task, contenders: Sequence[Contender], records: list[list[dict]], seed: int, latency_ms: float
) -> str:
    """What --markdown writes: who ran on what, one row for each, and one for each two of them."""
    what, names = titles(contenders)
    columns = dict(zip(names, records, strict=True))
    who = dict.fromkeys(f"`{c.policy_id}` on `{c.encoder_id}`" for c in contenders)
    parts = [
        f"{task.title}, simulated, {len(records[0])} trials each on the same scenes, seed {seed}, "
        f"observations {latency_ms:g} ms old at the guard; {', '.join(who)}:",
        side_by_side_table(columns, task=task, markdown=True, corner=what),
    ]
    if len(contenders) > 1:
        parts.append(comparison_table(columns, task=task, markdown=True))
    return "\n\n".join(parts) + "\n"


def json_result(task: Task, options: Iterable[dict[str, Any]], records: list[list[dict]], seed: int) -> dict:
    """What --json writes: one result as it is, several under "results" with each two compared."""
    results = [
        {**summarise(own, task=task, seed=seed), "options": option}
        for own, option in zip(records, options, strict=True)
    ]
    if len(results) == 1:
        return results[0]
    return {
        "task": task.id,
        "seed": seed,
        "trials": len(records[0]),
        "simulated": True,
        "results": results,
        "comparisons": [comparison_entry(a, b, task=task) for a, b in combinations(records, 2)],
    }
