"""Keeps a periodic tick shortly after the arrival of the messages that it uses."""

_MEMORY = 0.1
_SMALLEST_MARGIN_S = 0.01
_JITTERS = 2.5


class PhaseLock:
    """Says by how much to shift a tick, so that its input is fresh instead of up to a whole period old.

    The tick is to come a margin after the arrivals; the margin grows with their jitter, as a message that
    misses the tick is used a whole period later. Works where messages come at a steady rate that divides the
    tick's: 10 Hz tokens and a 5 Hz tick. At other rates the corrections average out.
    """

    def __init__(self, gain: float = 0.15, largest_s: float = 0.004) -> None:
        """Begin without knowledge of the arrivals.

        Args:
            gain: share of the error that one correction takes away.
            largest_s: largest correction, which is also the jitter that this adds to the tick.
        """
        self._gain, self._largest_s = gain, largest_s
        self._arrived_s: float | None = None
        self._period_s: float | None = None
        self._jitter_s = 0.0

    def arrived(self, now_s: float) -> None:
        """A message came."""
        if self._arrived_s is not None:
            interval_s = now_s - self._arrived_s
            if self._period_s is None:
                self._period_s = interval_s
            self._jitter_s += _MEMORY * (abs(interval_s - self._period_s) - self._jitter_s)
            self._period_s += _MEMORY * (interval_s - self._period_s)
        self._arrived_s = now_s

    def correction_s(self, now_s: float, *, freely: bool = False) -> float:
        """By how much to move the next tick, given that one happens now; positive is later.

        Args:
            now_s: time of this tick.
            freely: make large corrections; for when nobody depends on the tick's regularity.
        """
        if self._arrived_s is None or not self._period_s:
            return 0.0
        waited_s = now_s - self._arrived_s
        if waited_s > 3 * self._period_s:
            return 0.0
        half_s = self._period_s / 2
        margin_s = min(_SMALLEST_MARGIN_S + _JITTERS * self._jitter_s, half_s)
        late_s = (waited_s - margin_s + half_s) % self._period_s - half_s
        if freely:
            return -late_s / 2
        return max(-self._largest_s, min(self._largest_s, -self._gain * late_s))
