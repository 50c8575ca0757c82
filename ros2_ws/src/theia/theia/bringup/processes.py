"""Runs the processes of a bring-up: prefixed output, orderly end, exit code of the first failure."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import IO

from theia.bringup.description import Role

_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
_PR_SET_PDEATHSIG = 1
_LOOK_S = 0.05
_GRACE_S = ((signal.SIGINT, 6.0), (signal.SIGTERM, 3.0), (signal.SIGKILL, 2.0))


@dataclass
class Member:
    """One process of the group."""

    name: str
    command: list[str]
    role: Role
    process: subprocess.Popen = field(init=False, repr=False)
    reader: threading.Thread = field(init=False, repr=False)


class ProcessGroup:
    """Starts processes, each in a process group of its own, and ends all when one that matters ends.

    A signal to this process does not reach the others by itself: they are told in an orderly way. Should this
    process be killed, the kernel interrupts them.
    """

    def __init__(
        self, members: Sequence[Member], output: IO[str] = sys.stdout, *, colour: bool = False
    ) -> None:
        """Prepare; `run` starts them."""
        self._members = list(members)
        self._output, self._colour = output, colour
        self._printing = threading.Lock()
        self._interrupted = False
        self._in_child = _dying_with_parent()

    def run(self) -> int:
        """Start all, wait for the end, stop the rest.

        Returns:
            The exit code of the RESULT process, or of the first process that should not have ended (1 if that
            ended with 0, 128 + signal if it was killed). When interrupted: 130 if a RESULT was awaited,
            else 0.
        """
        handlers = {
            number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)
        }
        started: list[Member] = []
        try:
            for member in self._members:
                if self._interrupted:
                    break
                self._start(member)
                started.append(member)
            return self._wait(started)
        finally:
            self._stop(started)
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _start(self, member: Member) -> None:
        member.process = subprocess.Popen(
            member.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=self._in_child,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        member.reader = threading.Thread(target=self._copy_output, args=(member,), daemon=True)
        member.reader.start()

    def _wait(self, members: list[Member]) -> int:
        while not self._interrupted:
            for member in members:
                code = member.process.poll()
                if code is not None:
                    return self._judge(member, code)
            time.sleep(_LOOK_S)
        self._say("interrupted: stopping everything, the arm is left holding")
        return 130 if any(member.role is Role.RESULT for member in members) else 0

    def _judge(self, member: Member, code: int) -> int:
        member.reader.join(0.5)  # what it said last comes before what we say about it
        code = 128 - code if code < 0 else code
        if member.role is Role.RESULT:
            return code
        self._say(f"{member.name} ended with exit code {code}: stopping everything")
        return code or 1

    def _stop(self, members: list[Member]) -> None:
        """SIGINT, then SIGTERM, then SIGKILL to the whole group of every process that is left."""
        for number, grace_s in _GRACE_S:
            left = [member for member in members if member.process.poll() is None]
            if not left:
                break
            if number != signal.SIGINT:
                self._say(f"{', '.join(m.name for m in left)} did not end: sending {number.name}")
            for member in left:
                _signal_group(member.process, number)
            deadline_s = time.monotonic() + grace_s
            while any(m.process.poll() is None for m in left) and time.monotonic() < deadline_s:
                time.sleep(_LOOK_S)
        for member in members:  # what a process left behind in its group
            _signal_group(member.process, signal.SIGKILL)
        for member in members:
            member.reader.join(1.0)

    def _copy_output(self, member: Member) -> None:
        assert member.process.stdout is not None
        width = max(len(other.name) for other in self._members)
        prefix = f"[{member.name}]".ljust(width + 2)
        if self._colour:
            number = _COLOURS[self._members.index(member) % len(_COLOURS)]
            prefix = f"\033[{number}m{prefix}\033[0m"
        for line in member.process.stdout:
            self._print(f"{prefix} {line.rstrip()}")

    def _say(self, text: str) -> None:
        self._print(f"[theia up] {text}")

    def _print(self, line: str) -> None:
        with self._printing:
            try:
                print(line, file=self._output, flush=True)
            except (
                BrokenPipeError,
                ValueError,
            ):  # nobody reads any more; the processes still must be stopped
                self._output = open(os.devnull, "w")  # noqa: SIM115

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._interrupted = True


def _signal_group(process: subprocess.Popen, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _dying_with_parent() -> Callable[[], object]:
    """To be called in a child: it is interrupted when its parent dies, whatever kills it (Linux)."""
    prctl = ctypes.CDLL(None).prctl  # looked up here: a child of threads must not load libraries
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
