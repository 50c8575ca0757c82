"""Intervals for success rates."""

from scipy.special import betaincinv

from theia_core.errors import TheiaError


def clopper_pearson(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact two-sided interval for a success rate (Clopper and Pearson, 1934).

    Args:
        successes: number of successes.
        trials: number of trials; none gives the whole range.
        confidence: coverage the interval has at least.

    Returns:
        Lower and upper bound, in 0 ... 1.

    Raises:
        TheiaError: if there are more successes than trials, or fewer than none.
    """
    if not 0 <= successes <= trials:
        raise TheiaError(f"{successes} successes in {trials} trials is impossible")
    tail = (1.0 - confidence) / 2.0
    failures = trials - successes
    low = betaincinv(successes, failures + 1, tail) if successes else 0.0
    high = betaincinv(successes + 1, failures, 1.0 - tail) if failures else 1.0
    return float(low), float(high)
