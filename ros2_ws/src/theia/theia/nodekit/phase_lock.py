"""Keeps a periodic tick shortly after the arrival of the messages that it uses."""


class PhaseLock:
    """Says by how much to shift a tick, so that its input is fresh instead of up to a whole period old.

    Works where messages come at a steady rate that divides the tick's: 10 Hz tokens and a 5 Hz tick. At other
    rates the corrections average out.
    """

    def __init__(self, target_s: float = 0.015, gain: float = 0.15, largest_s: float = 0.004) -> None:
        """Aim at a tick `target_s` after an arrival.

        Args:
            target_s: wanted age of the newest message since its arrival; should cover the arrival's jitter.
            gain: share of the error that one correction takes away.
            largest_s: largest correction, which is also the jitter that this adds to the tick.
        """
        self._target_s, self._gain, self._largest_s = target_s, gain, largest_s
        self._arrived_s: float | None = None
        self._period_s: float | None = None

    def arrived(self, now_s: float) -> None:
        """A message came."""
        if self._arrived_s is not None:
            interval_s = now_s - self._arrived_s
            known = self._period_s
            self._period_s = interval_s if known is None else known + 0.1 * (interval_s - known)
        self._arrived_s = now_s

    def correction_s(self, now_s: float, *, freely: bool = False) -> float:
        """By how much to move the next tick, given that one happens now; positive is later.

        Args:
            now_s: time of this tick.
            freely: correct all of the error at once; for when nobody depends on the tick's regularity.
        """
        if self._arrived_s is None or not self._period_s:
            return 0.0
        waited_s = now_s - self._arrived_s
        if waited_s > 3 * self._period_s:
            return 0.0
        half_s = self._period_s / 2
        late_s = (waited_s - self._target_s + half_s) % self._period_s - half_s
        if freely:
            return -late_s
        return max(-self._largest_s, min(self._largest_s, -self._gain * late_s))
