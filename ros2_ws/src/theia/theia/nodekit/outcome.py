"""How a node says, from any thread, that its process is over and whether that is a failure."""

import threading
import traceback

from theia_core.errors import TheiaError

EXIT_FAILURE = 2


class Outcome:
    """The end of a node's process; the first call decides. `run_node` looks at it ten times a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._code: int | None = None
        self._reason = ""

    def finish(self, code: int = 0) -> None:
        """End the process with `code`."""
        self._end(code, "")

    def fail(self, reason: str) -> None:
        """End the process with exit code 2; `reason` is one sentence for people."""
        self._end(EXIT_FAILURE, reason)

    def crash(self, what: str, error: BaseException) -> None:
        """End the process for an exception in a thread; one that is no TheiaError leaves a traceback."""
        if isinstance(error, TheiaError):
            self.fail(str(error))
        else:
            traceback.print_exception(error)
            self.fail(f"{what}: {type(error).__name__}: {error}")

    @property
    def code(self) -> int | None:
        """Exit code, None while the node runs."""
        return self._code

    @property
    def reason(self) -> str:
        """Why it failed; empty otherwise."""
        return self._reason

    def _end(self, code: int, reason: str) -> None:
        with self._lock:
            if self._code is None:
                self._code, self._reason = code, reason
