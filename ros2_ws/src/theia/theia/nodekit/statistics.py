"""Running statistics of times and rates, cheap enough to keep for every message."""

import threading
import time
from collections import deque

import numpy as np

WINDOW = 3000


class Samples:
    """The last 3000 values of one measurement; may be written and read by different threads."""

    def __init__(self) -> None:
        self._values: deque[float] = deque(maxlen=WINDOW)
        self._lock = threading.Lock()

    def add(self, value: float) -> None:
        """Remember one value."""
        with self._lock:
            self._values.append(value)

    def clear(self) -> None:
        """Forget all values."""
        with self._lock:
            self._values.clear()

    def summary(self) -> dict[str, float]:
        """`p50`, `p95`, `p99` and `max` of the values, empty without values."""
        with self._lock:
            values = np.fromiter(self._values, float)
        if not len(values):
            return {}
        middle, high, highest = np.percentile(values, (50, 95, 99))
        return {
            "p50": float(middle),
            "p95": float(high),
            "p99": float(highest),
            "max": float(values.max()),
        }


class Rate:
    """Events per second since the last question."""

    def __init__(self) -> None:
        self._count, self._since_s = 0, time.monotonic()

    def tick(self) -> None:
        """Count one event."""
        self._count += 1

    def per_second(self) -> float:
        """Rate since the last call."""
        now_s = time.monotonic()
        rate = self._count / max(now_s - self._since_s, 1e-3)
        self._count, self._since_s = 0, now_s
        return rate
