"""Intervals for success rates and for their difference."""

from scipy.special import betaincinv, ndtri

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


def wilson(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval for a success rate (Wilson, 1927), close to its coverage on average.

    Args:
        successes: number of successes.
        trials: number of trials, at least 1.
        confidence: coverage aimed at.
    """
    z = float(ndtri(0.5 + confidence / 2))
    rate, shrink = successes / trials, 1 + z * z / trials
    middle = (rate + z * z / (2 * trials)) / shrink
    half = z * (rate * (1 - rate) / trials + z * z / (4 * trials * trials)) ** 0.5 / shrink
    return max(0.0, middle - half), min(1.0, middle + half)


def independent_difference(
    a_successes: int, a_trials: int, b_successes: int, b_trials: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval for the rate of b minus that of a on independent trials (Newcombe 1998, method 10).

    Raises:
        TheiaError: if one of them has no trials.
    """
    if min(a_trials, b_trials) < 1:
        raise TheiaError("there are no trials to compare; run at least one of each")
    a, b = a_successes / a_trials, b_successes / b_trials
    a_low, a_high = wilson(a_successes, a_trials, confidence)
    b_low, b_high = wilson(b_successes, b_trials, confidence)
    low = ((b - b_low) ** 2 + (a_high - a) ** 2) ** 0.5
    high = ((b_high - b) ** 2 + (a - a_low) ** 2) ** 0.5
    return max(-1.0, b - a - low), min(1.0, b - a + high)


def paired_difference(
    both: int, only_a: int, only_b: int, neither: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval for the rate of b minus that of a on the same trials (Newcombe 1998, method 10).

    Args:
        both: trials in which both succeeded.
        only_a: trials in which only a did.
        only_b: trials in which only b did.
        neither: trials in which none did.
        confidence: coverage aimed at.

    Raises:
        TheiaError: if there are no trials.
    """
    trials = both + only_a + only_b + neither
    if trials < 1:
        raise TheiaError("there are no trials to compare; run at least one")
    a, b = (both + only_a) / trials, (both + only_b) / trials
    (a_low, a_high), (b_low, b_high) = (wilson(both + only, trials, confidence) for only in (only_a, only_b))
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    association: float = both * neither - only_a * only_b
    if association > 0:
        association = max(association - trials / 2, 0)  # Newcombe's correction for continuity
    phi = association / margins**0.5 if margins else 0.0
    down, up = (b - b_low, a_high - a), (b_high - b, a - a_low)
    low = (down[0] ** 2 - 2 * phi * down[0] * down[1] + down[1] ** 2) ** 0.5
    high = (up[0] ** 2 - 2 * phi * up[0] * up[1] + up[1] ** 2) ** 0.5
    return max(-1.0, b - a - low), min(1.0, b - a + high)
