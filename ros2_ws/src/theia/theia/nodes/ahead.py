"""One prediction at a time, made in a thread of its own while the last one is still being executed."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

_Input = TypeVar("_Input")
_Result = TypeVar("_Result")


class Ahead(Generic[_Input, _Result]):
    """Computes the next prediction ahead of its time; all calls from one thread, the control step's."""

    def __init__(self, compute: Callable[[_Input], _Result]) -> None:
        """Compute by `compute`, never twice at a time."""
        self._compute = compute
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="prediction")
        self._future: Future[_Result] | None = None
        self._wanted = False

    @property
    def busy(self) -> bool:
        """Whether a prediction is being made, or waits to be taken."""
        return self._future is not None and (self._wanted or not self._future.done())

    def begin(self, observed: _Input) -> None:
        """Begin to predict from an observation; only while not busy."""
        assert not self.busy
        self._future, self._wanted = self._threads.submit(self._compute, observed), True

    def take(self) -> _Result | None:
        """The prediction if it is ready, once; None otherwise.

        Raises:
            Exception: whatever the computation raised.
        """
        if self._future is None or not self._wanted or not self._future.done():
            return None
        future, self._future, self._wanted = self._future, None, False
        return future.result()

    def forget(self) -> None:
        """What is being predicted is not wanted any more."""
        self._wanted = False

    def now(self, observed: _Input) -> _Result:
        """Predict here and now, after whatever is still being computed."""
        self.forget()
        return self._threads.submit(self._compute, observed).result()

    def close(self) -> None:
        """End the thread, after the prediction that it is at."""
        self._threads.shutdown()
