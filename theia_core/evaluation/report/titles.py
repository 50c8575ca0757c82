"""Short titles of runs that tell them apart."""

from collections.abc import Sequence

from theia_core.evaluation.runs import Run


def run_titles(runs: Sequence[Run]) -> list[str]:
    """One title a run: its policy, and as much of encoder, execution, seed and hashes as sets it apart."""
    parts = [
        lambda run: _name(run.identity["policy"]),
        lambda run: f"on {_name(run.identity['encoder'])}",
        lambda run: str(run.identity["execution"] or ""),
        lambda run: f"seed {run.seed}",
        lambda run: "" if run.identity["simulated"] else "real",
        lambda run: f"{1000 * (run.identity['latency_s'] or 0):g} ms old",
        lambda run: f"{run.identity['noise_mm'] or 0:g} mm noise",
        lambda run: f"protocol {run.identity['protocol_hash']}",
        lambda run: str(run.identity["policy"]),
        lambda run: str(run.identity["encoder"]),
    ]
    titles = [parts[0](run) for run in runs]
    for part in parts[1:]:
        if len(set(titles)) == len(titles):
            break
        more = [part(run) for run in runs]
        if len(set(zip(titles, more, strict=True))) > len(set(titles)):
            titles = [f"{title}, {text}" if text else title for title, text in zip(titles, more, strict=True)]
    return titles


def _name(identity: str | None) -> str:
    """The name of name@hash."""
    return (identity or "unknown policy").partition("@")[0]
