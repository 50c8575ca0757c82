"""Service calls one after the other, without waiting in a callback: a generator that yields requests."""

import time
from collections.abc import Callable, Generator
from typing import Any

from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

from theia_core.errors import TheiaError

Script = Generator[tuple[Client, Any] | float, Any, None]
"""Yields (client, request) and is sent the response, or yields seconds to wait."""

_LOOK_S = 0.05


class ServiceScripts:
    """Runs one script at a time in the thread of the node's callbacks."""

    def __init__(self, node: Node, answer_s: float = 2.0) -> None:
        """Run scripts on `node`; a service that is silent for `answer_s` fails the script."""
        self._node, self._answer_s = node, answer_s
        self._script: Script | None = None
        self._done: Callable[[str | None], None] = lambda _: None
        self._future: Future | None = None
        self._until_s = 0.0
        self._timer = node.create_timer(_LOOK_S, self._look)

    @property
    def busy(self) -> bool:
        """Whether a script is running."""
        return self._script is not None

    def start(self, script: Script, done: Callable[[str | None], None]) -> None:
        """Begin `script`; `done` is told what went wrong, or None."""
        assert self._script is None, "one script at a time"
        self._script, self._done = script, done
        self._go_on(None)

    def close(self) -> None:
        """Forget what is running."""
        self._node.destroy_timer(self._timer)
        self._script = self._future = None

    def _go_on(self, answer: Any) -> None:
        """Hand the script its answer and begin what it asks for next."""
        assert self._script is not None
        try:
            wish = self._script.send(answer)
        except StopIteration:
            self._end(None)
            return
        except TheiaError as error:
            self._end(str(error))
            return
        self._future, now_s = None, time.monotonic()
        if isinstance(wish, float):
            self._until_s = now_s + wish
            return
        client, request = wish
        self._until_s = now_s + self._answer_s
        self._service = client.srv_name
        self._future = client.call_async(request)
        self._future.add_done_callback(self._answered)

    def _answered(self, future: Future) -> None:
        """Go on with an answer, unless it is that of a call that was given up."""
        if future is self._future:
            self._go_on(future.result())

    def _look(self) -> None:
        """Go on with what has waited long enough; give up what nobody answers."""
        if self._script is None or time.monotonic() < self._until_s:
            return
        silent, self._future = self._future, None
        if silent is None:
            self._go_on(None)
        else:
            silent.cancel()
            self._end(f"service {self._service} is silent: is xs_sdk running, and do the motors answer?")

    def _end(self, trouble: str | None) -> None:
        self._script = self._future = None
        self._done(trouble)
