"""Base of the nodes that do one thing after the other: a thread runs the script, another the callbacks."""

import threading
import time
from collections.abc import Callable

from rclpy.node import Node

from theia.nodekit.diagnostics import Diagnostics
from theia.nodekit.outcome import Outcome
from theia_core.errors import TheiaError


class Cancelled(Exception):
    """The process was asked to end while the script was waiting."""


class ScriptNode(Node):
    """A node whose subclass writes `script`, which may wait and call services and returns the exit code.

    Attributes:
        diagnostics: what it measures.
        outcome: to end the process.
    """

    def __init__(self, name: str) -> None:
        """Make the node; `begin` starts the script."""
        super().__init__(name)
        self.outcome = Outcome()
        self.diagnostics = Diagnostics(self)
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="script", daemon=True)

    def script(self) -> int:
        """What to do; a TheiaError is printed and ends the process with 2."""
        raise NotImplementedError

    def begin(self) -> None:
        """Start the script, at the end of the subclass's `__init__`."""
        self._thread.start()

    def shut_down(self) -> None:
        """Let the script end: its next wait raises `Cancelled`."""
        self._cancelled.set()
        self._thread.join(3.0)

    @property
    def is_cancelled(self) -> bool:
        """Whether the process is to end."""
        return self._cancelled.is_set()

    def pause(self, seconds: float) -> None:
        """Sleep.

        Raises:
            Cancelled: as soon as the process is to end.
        """
        if self._cancelled.wait(seconds):
            raise Cancelled

    def wait_until(self, condition: Callable[[], bool], timeout_s: float, look_s: float = 0.02) -> bool:
        """Wait until `condition()` holds; False if it does not within `timeout_s`.

        Raises:
            Cancelled: as soon as the process is to end.
        """
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() >= deadline_s:
                return False
            self.pause(look_s)
        return True

    def _run(self) -> None:
        try:
            self.outcome.finish(self.script())
        except Cancelled:
            self.outcome.finish(0)
        except TheiaError as error:
            self.diagnostics.error(str(error))
            self.outcome.fail(str(error))
        except Exception as error:  # a thread has no caller that could see it
            self.outcome.crash("internal error", error)
