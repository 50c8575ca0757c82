"""How many trials it takes to see a difference: the power of Barnard's exact test."""

from dataclasses import dataclass

import numpy as np

from theia_core.errors import TheiaError
from theia_core.evaluation.barnard import barnard_p_values, binomials

_MOST_TRIALS = 1000
_MOST_COMPARED = 400


@dataclass(frozen=True)
class Power:
    """The test of two policies with the same number of independent trials each.

    Attributes:
        trials: trials of each policy.
        alpha: p below which they are said to differ.
    """

    trials: int
    alpha: float = 0.05

    def __post_init__(self) -> None:
        """Find the outcomes that the test calls different.

        Raises:
            TheiaError: if there are no trials, or more than can be computed.
        """
        if not 1 <= self.trials <= _MOST_TRIALS:
            raise TheiaError(f"power is computed for 1 to {_MOST_TRIALS} trials, not {self.trials}")
        object.__setattr__(self, "_differs", barnard_p_values(self.trials) <= self.alpha)

    def at(self, a: float, b: float) -> float:
        """Probability that the test tells policies of success rates a and b apart."""
        ours, theirs = binomials(self.trials, np.array([a, b]))
        return float(ours @ self._differs @ theirs)  # type: ignore[attr-defined]

    def smallest_difference(self, rate: float, power: float = 0.8) -> float | None:
        """The smallest improvement on `rate` that is seen with probability `power`; None if none is."""
        for percent in range(1, round(100 * (1 - rate)) + 1):
            if self.at(rate, min(rate + percent / 100, 1.0)) >= power:
                return percent / 100
        return None


def trials_needed(a: float, b: float, power: float = 0.8, alpha: float = 0.05) -> int | None:
    """The smallest number of trials of each policy from which on the test sees a and b differ.

    Power does not grow with every trial, it is a saw: this many trials and the next have it.

    Args:
        a: success rate of one policy.
        b: success rate of the other.
        power: probability that the difference is seen.
        alpha: p below which they are said to differ.

    Returns:
        The number; None if it is more than 400.

    Raises:
        TheiaError: if a rate is no share, or the rates are equal.
    """
    if not (0 <= a <= 1 and 0 <= b <= 1 and a != b):
        raise TheiaError(f"rates {a:g} and {b:g} cannot be told apart; give two different ones from 0 to 1")

    def enough(trials: int) -> bool:
        return all(Power(n, alpha).at(a, b) >= power for n in (trials, trials + 1))

    low, high = 1, 2
    while not enough(high):
        low, high = high, high * 2
        if low >= _MOST_COMPARED:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high if high <= _MOST_COMPARED else None
