"""`theia up`'s process group, with small shell commands in place of nodes."""

import io
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from theia.bringup import Role
from theia.bringup.processes import Member, ProcessGroup

STUBBORN = "trap '' INT TERM; (while true; do sleep 0.1; done) & while true; do sleep 0.1; done"


def member(name, script, role=Role.REQUIRED):
    return Member(name, ["bash", "-c", script], role)


def run(*members):
    output = io.StringIO()
    code = ProcessGroup(members, output).run()
    return code, output.getvalue()


def no_such_group(group):
    """Whether no process of the group is left, after a moment for the kernel to take them away."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_result_process_decides_the_exit_code_and_the_rest_is_stopped():
    forever = member("node", "trap 'echo bye; exit 0' INT; while true; do sleep 0.05; done")
    code, output = run(forever, member("evaluator", "sleep 0.3; exit 7", Role.RESULT))
    assert code == 7
    assert "[node]      bye" in output
    assert forever.process.returncode == 0


@pytest.mark.parametrize(("script", "code"), [("exit 3", 3), ("exit 0", 1), ("kill -9 $$", 137)])
def test_required_process_that_ends_is_a_failure(script, code):
    ended, output = run(member("guard", script), member("other", "sleep 60"))
    assert ended == code
    assert "[theia up] guard ended with exit code" in output


def test_output_is_prefixed_line_by_line():
    _, output = run(member("a", "echo one; echo two >&2; exit 1"))
    assert output.splitlines()[:2] == ["[a] one", "[a] two"]


def test_process_that_ignores_signals_is_killed_with_its_children(monkeypatch):
    grace = ((signal.SIGINT, 0.3), (signal.SIGTERM, 0.3), (signal.SIGKILL, 2.0))
    monkeypatch.setattr("theia.bringup.processes._GRACE_S", grace)
    deaf = member("deaf", STUBBORN)
    code, output = run(deaf, member("evaluator", "sleep 0.3", Role.RESULT))
    assert code == 0
    assert deaf.process.returncode == -signal.SIGKILL
    assert "deaf did not end: sending SIGTERM" in output
    assert "deaf did not end: sending SIGKILL" in output
    assert no_such_group(deaf.process.pid)


def test_children_that_a_process_leaves_behind_are_killed():
    careless = member("careless", "(trap '' INT TERM; while true; do sleep 0.1; done) & wait")
    run(careless, member("evaluator", "sleep 0.3", Role.RESULT))
    assert careless.process.returncode == -signal.SIGINT
    assert no_such_group(careless.process.pid)


@pytest.mark.parametrize(("role", "code"), [(Role.RESULT, 130), (Role.REQUIRED, 0)])
def test_interrupt_stops_everything_in_order(role, code):
    node = member("node", "trap 'echo holding; exit 0' INT; while true; do sleep 0.05; done")
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    ended, output = run(node, member("last", "sleep 60", role))
    assert ended == code
    assert "holding" in output
    assert "interrupted" in output


def test_processes_do_not_outlive_a_killed_parent(tmp_path):
    marker = tmp_path / "interrupted"
    child = f"trap 'touch {marker}; exit 0' INT; while true; do sleep 0.05; done"
    source = (
        "from theia.bringup.processes import *; from theia.bringup import Role;"
        f"ProcessGroup([Member('n', ['bash', '-c', {child!r}], Role.REQUIRED)]).run()"
    )
    parent = subprocess.Popen([sys.executable, "-c", source])
    time.sleep(1.5)
    parent.kill()
    parent.wait()
    deadline_s = time.monotonic() + 5
    while not marker.exists() and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert marker.exists()
