"""The start and end of a node's process."""

import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Protocol

import rclpy
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from theia.nodekit.outcome import EXIT_FAILURE, Outcome
from theia.nodekit.transport import apply_transport_defaults
from theia_core.errors import TheiaError

_LOOK_S = 0.1
_IMPATIENT_AFTER_S = 2.0


class RunnableNode(Protocol):
    """A node that `run_node` can run."""

    outcome: Outcome

    def shut_down(self) -> None:
        """Leave everything in order; ROS still works. Called once, in the thread that runs the callbacks."""


def run_node(make_node: Callable[[], RunnableNode], *, shared_memory: bool = True) -> int:
    """Run one node in this process until SIGINT, SIGTERM or its own end, and return the exit code.

    rclpy's own signal handlers are not used: they take ROS away before a node can put its robot in order.

    Args:
        make_node: makes the node.
        shared_memory: as for `apply_transport_defaults`.
    """
    apply_transport_defaults(shared_memory=shared_memory)
    faulthandler.register(signal.SIGUSR1)  # `kill -USR1 PID`: where is each thread of a node that is silent?
    stop = _StopOnSignal()
    rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    program = os.path.basename(sys.argv[0])
    node: RunnableNode | None = None
    try:
        node = make_node()
        assert isinstance(node, Node)
        executor = new_executor()
        executor.add_node(node)
        while not stop.requested and node.outcome.code is None:
            executor.spin_once(timeout_sec=_LOOK_S)
        node.shut_down()
        executor.shutdown()
        if node.outcome.reason:
            print(f"{program}: error: {node.outcome.reason}", file=sys.stderr, flush=True)
        return node.outcome.code or 0
    except TheiaError as error:
        print(f"{program}: error: {error}", file=sys.stderr, flush=True)
        if node is not None:
            node.shut_down()
        return EXIT_FAILURE
    finally:
        if isinstance(node, Node):
            node.destroy_node()
        rclpy.try_shutdown()


def new_executor() -> Executor:
    """The executor with the least overhead that this rclpy has, for one thread."""
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:  # before Kilted
        return SingleThreadedExecutor()
    return EventsExecutor()


class _StopOnSignal:
    """Remembers SIGINT and SIGTERM; one more after a while ends the process at once.

    Right after the first, another one is no second wish: Ctrl-C reaches a node from the terminal, and often
    from its launcher too.
    """

    def __init__(self) -> None:
        self.requested = False
        self._at_s = 0.0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if not self.requested:
            self.requested, self._at_s = True, time.monotonic()
        elif time.monotonic() - self._at_s > _IMPATIENT_AFTER_S:
            os._exit(128 + number)
