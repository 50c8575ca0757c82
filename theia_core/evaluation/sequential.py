"""A test of two policies that may be looked at after every pair of trials and stopped at any of them.

Each pair is one scene tried by both. Where they end differently, a policy that is no better than the other is
as likely to be the one that succeeded; so under the null hypothesis the value of a bet on these coin tosses
is a martingale that starts at 1, and exceeds 1 / alpha at any time with probability alpha at most (Ville
1939). The bet is the likelihood ratio of all coins, mixed with Jeffreys' prior, against the fair one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import exp, inf, log, pi

from scipy.special import betaln

from theia_core.errors import TheiaError

_LOG_2 = log(2)


@dataclass(frozen=True)
class SequentialTest:
    """Where the comparison of policies a and b stands.

    Attributes:
        alpha: probability of ever calling equal policies different.
        most_pairs: pairs after which it ends undecided; None: it goes on.
        pairs: scenes that both have tried.
        only_a: pairs in which only a succeeded.
        only_b: pairs in which only b succeeded.
        largest: largest value that the bet has had.
    """

    alpha: float = 0.05
    most_pairs: int | None = None
    pairs: int = 0
    only_a: int = 0
    only_b: int = 0
    largest: float = 1.0

    def __post_init__(self) -> None:
        """Refuse an alpha that is no probability."""
        if not 0 < self.alpha < 1:
            raise TheiaError(f"alpha {self.alpha:g} must lie between 0 and 1; 0.05 is usual")

    def after(self, outcomes: Iterable[tuple[bool, bool]]) -> "SequentialTest":
        """The test after more pairs, each (a succeeded, b succeeded), in the order they were tried."""
        pairs, only_a, only_b, largest = self.pairs, self.only_a, self.only_b, self.largest
        for a, b in outcomes:
            pairs += 1
            if a != b:
                only_a, only_b = only_a + bool(a), only_b + bool(b)
                largest = max(largest, evidence(only_a, only_b))
        return replace(self, pairs=pairs, only_a=only_a, only_b=only_b, largest=largest)

    @property
    def p_value(self) -> float:
        """What p is, however often one has looked."""
        return min(1.0, 1.0 / self.largest)

    @property
    def verdict(self) -> str:
        """The better policy, "a" or "b"; "undecided" at the end; "" while more pairs are needed."""
        if self.p_value <= self.alpha:
            return "a" if self.only_a > self.only_b else "b"
        return "undecided" if self.most_pairs is not None and self.pairs >= self.most_pairs else ""


def evidence(only_a: int, only_b: int) -> float:
    """Value of the bet: how many times likelier the pairs are if the policies differ."""
    value = float(betaln(only_a + 0.5, only_b + 0.5)) + (only_a + only_b) * _LOG_2
    return exp(value) / pi if value < 700 else inf
