"""Sends commands in a thread of its own: the newest wins, an old one is never sent, a failure is told."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from theia.nodekit.latest import LatestOfEach
from theia.nodekit.statistics import Samples
from theia.spot.reasons import SDK_ERRORS

_EXPIRES_S = 0.3
_LOOK_S = 0.1
_BOX = "guard"


class CommandSender:
    """A mailbox for one command.

    Attributes:
        round_trip_ms: how long the robot took to take each.
        expired: commands that were too old when their turn came.
        failed_in_a_row: commands that have failed since the last that did not.
    """

    def __init__(self, send: Callable[[Any], int], on_failure: Callable[[Exception], None]) -> None:
        """Begin; `on_failure` is called in the sender's thread."""
        self.round_trip_ms, self.expired, self.failed_in_a_row = Samples(), 0, 0
        self._send, self._on_failure = send, on_failure
        self._box: LatestOfEach[tuple[float, Any]] = LatestOfEach([_BOX])
        self._stopping, self._sending = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._run, name="spot commands", daemon=True)
        self._thread.start()

    def put(self, command: Any) -> None:
        """Send this next, instead of whatever has not been sent yet."""
        self._box.put((time.monotonic(), command), _BOX)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is under way to the robot meanwhile; what has been put is forgotten."""
        with self._sending:
            self._box.clear()
            yield

    def close(self) -> None:
        """Send no more."""
        self._stopping.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            taken = self._box.take(_LOOK_S)
            if not taken:
                continue
            made_s, command = taken[_BOX]
            started_s = time.monotonic()
            if started_s - made_s > _EXPIRES_S:
                self.expired += 1
                continue
            try:
                with self._sending:
                    self._send(command)
                self.round_trip_ms.add((time.monotonic() - started_s) * 1000)
                self.failed_in_a_row = 0
            except SDK_ERRORS as error:
                self.failed_in_a_row += 1
                self._on_failure(error)
