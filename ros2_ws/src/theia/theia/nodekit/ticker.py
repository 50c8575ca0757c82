"""A thread that calls something at a fixed rate, on absolute deadlines, and knows how late it was."""

import threading
import time
from collections.abc import Callable

from theia.nodekit.statistics import Samples


class Ticker:
    """Calls `callback` every `period_s` in a thread of its own until `stop`.

    Deadlines lie on a fixed grid of the monotonic clock, so that lateness does not add up; deadlines that
    have passed altogether are skipped and counted.

    Attributes:
        lateness_ms: how long after its deadline each call began.
        skipped: deadlines that passed while a call was still running.
        beat: number of the deadline that the present call belongs to, from 0; skipped ones count.
    """

    def __init__(
        self,
        period_s: float,
        callback: Callable[[], None],
        name: str,
        on_error: Callable[[BaseException], None],
        at_end: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare; `start` begins.

        Args:
            period_s: time between two calls.
            callback: what to call.
            name: name of the thread.
            on_error: told of an exception of `callback`, which ends the ticking.
            at_end: called last, in the same thread.
        """
        self.period_s = period_s
        self.lateness_ms = Samples()
        self.skipped = self.beat = 0
        self._callback, self._on_error, self._at_end = callback, on_error, at_end
        self._stopping = threading.Event()
        self._shift_s = 0.0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the first call is due at once."""
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End after the call that is running; waits for it unless called from the callback itself."""
        self._stopping.set()
        if self._thread is not threading.current_thread() and self._thread.ident is not None:
            self._thread.join(timeout_s)

    def shift(self, by_s: float) -> None:
        """Move all coming deadlines by `by_s`; to be called from the callback."""
        self._shift_s += by_s

    def _run(self) -> None:
        try:
            self._loop()
        except Exception as error:  # a thread has no caller that could see it
            self._on_error(error)
        finally:
            self._at_end()

    def _loop(self) -> None:
        deadline_s = time.monotonic()
        while True:
            remaining_s = deadline_s - time.monotonic()
            if self._stopping.wait(remaining_s) if remaining_s > 0 else self._stopping.is_set():
                return
            self.lateness_ms.add((time.monotonic() - deadline_s) * 1000)
            self._callback()
            self.beat += 1
            deadline_s += self.period_s + self._shift_s
            self._shift_s = 0.0
            behind = int((time.monotonic() - deadline_s) // self.period_s)
            if behind > 0:
                self.skipped += behind
                self.beat += behind
                deadline_s += behind * self.period_s
