"""What an evaluation leaves behind: tables in the terminal, result.json, a page, a picture of the tokens."""

import json
from pathlib import Path

from theia.nodes.evaluation_run import EvaluationRun
from theia.nodes.trial_observer import TrialObserver
from theia_core.evaluation import comparison_table, side_by_side_table, stage_table, summarise
from theia_core.evaluation.report import report_page
from theia_core.evaluation.runs import gather
from theia_core.files import whole_file


def write_results(run: EvaluationRun, observer: TrialObserver, video: Path | None) -> None:
    """Report the trials that count; says so if there are none."""
    folder, task = run.folder, run.plan.task
    records = {
        one.policy_id: [record for record in run.records() if record["policy"] == one.policy_id]
        for one in run.plan.contestants
    }
    tried = {name: own for name, own in records.items() if own}
    if not tried:
        say("no trial counts yet; there is nothing to report")
        return
    timing = observer.timing
    results = [summarise(own, task=task, seed=run.plan.seed) for own in tried.values()]
    for result in results:
        result["latency_ms"] = timing.numbers()
    values = results[0] if len(run.plan.contestants) == 1 else {"task": task.id, "results": results}
    (folder / "result.json").write_text(json.dumps(values, indent=1) + "\n")
    with whole_file(folder / "report.html") as file:
        file.write(report_page(gather([run.ledger.path])).encode())
    picture = observer.write_token_map(folder / "token_map.png")
    if len(tried) == 1:
        (own,) = tried.values()
        kind = "simulated trials" if own[0].get("simulated") else "trials"
        say(f"\n{own[0]['policy']} on {own[0]['encoder']}, {len(own)} {kind}")
        say(stage_table(own, task=task))
    else:
        say("\n" + side_by_side_table(tried, task=task))
        say("\n" + comparison_table(tried, task=task))
    say(f"\n{timing.text()}")
    say(f"\nresult:    {folder / 'result.json'}")
    say(f"report:    {folder / 'report.html'}")
    say(f"video:     {video or 'none: no camera frame came'}")
    say(f"token map: {picture or 'none: the first trial was too short'}")


def say(text: str) -> None:
    """Print lines at once."""
    for line in text.splitlines():
        print(line, flush=True)
