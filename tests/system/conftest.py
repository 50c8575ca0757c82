"""Real processes over real DDS: starts nodes as ros2 would, on a domain of their own, and talks to them."""

import itertools
import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from unittest import mock

import pytest

from theia.bringup.command import command_line
from theia.bringup.description import Role
from theia.bringup.resolve import ResolvedNode
from theia.nodekit.transport import apply_transport_defaults
from theia_core.shared_memory import orphaned_segments

pytest.register_assert_rewrite(f"{__package__}.spot_operator")
_counter = itertools.count()


@dataclass
class Process:
    """A node's process and what it has printed."""

    name: str
    popen: subprocess.Popen
    lines: list[str] = field(default_factory=list)

    @property
    def output(self):
        return "\n".join(self.lines)

    def kill(self):
        """kill -9; returns the time on the ROS clock."""
        at_s = time.time()
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()
        return at_s

    def end(self, number=signal.SIGINT, timeout_s=10):
        """Signal the process and return its exit code."""
        self.popen.send_signal(number)
        return self.popen.wait(timeout_s)


class System:
    """The processes of one test, and a node to talk to them."""

    def __init__(self, domain_id, shared_memory=True):
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        self.environment = {**os.environ, "ROS_DOMAIN_ID": str(domain_id), "PYTHONUNBUFFERED": "1"}
        self.processes = {}
        self.context = rclpy.Context()
        with mock.patch.dict(os.environ):
            apply_transport_defaults(shared_memory=shared_memory)
            self.context.init(domain_id=domain_id)
        self.node = rclpy.create_node("system_test", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)

    def start(self, package, executable, **parameters):
        resolved = ResolvedNode(package, executable, executable, parameters, {}, Role.REQUIRED)
        return self.start_command(executable, command_line(resolved))

    def start_command(self, name, command, **options):
        popen = subprocess.Popen(
            command,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )
        process = self.processes[name] = Process(name, popen)
        threading.Thread(
            target=lambda: process.lines.extend(map(str.rstrip, popen.stdout)), daemon=True
        ).start()
        return process

    def spin(self, seconds):
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s:
            self.executor.spin_once(timeout_sec=0.02)

    def wait_until(self, condition, timeout_s=30.0, what="it"):
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            self.executor.spin_once(timeout_sec=0.02)
            dead = [p.name for p in self.processes.values() if p.popen.poll() not in (None, 0, -9)]
            if dead or time.monotonic() > deadline_s:
                why = f"{dead[0]} died" if dead else f"not within {timeout_s} s"
                self.ask_where_threads_are()
                pytest.fail(f"waiting for {what}: {why}\n{self.output()}")

    def ask_where_threads_are(self):
        """Let every node print what each of its threads is doing."""
        for process in self.processes.values():
            if process.popen.poll() is None:
                process.popen.send_signal(signal.SIGUSR1)
        time.sleep(0.5)

    def output(self):
        """What all processes have printed."""
        return "\n".join(f"--- {p.name}\n{p.output}" for p in self.processes.values())

    def listen(self, kind, topic, qos=None):
        """Messages of a topic, collected while spinning."""
        from theia.nodekit.qos import STREAM

        messages = []
        self.node.create_subscription(kind, topic, messages.append, qos or STREAM)
        return messages

    def call(self, kind, service, /, timeout_s=20.0, **fields):
        client = self.node.create_client(kind, service)
        self.wait_until(client.service_is_ready, timeout_s, f"service {service}")
        future = client.call_async(kind.Request(**fields))
        self.wait_until(future.done, timeout_s, f"an answer of {service}")
        self.node.destroy_client(client)
        return future.result()

    def trigger(self, name):
        from std_srvs.srv import Trigger

        response = self.call(Trigger, name)
        assert response.success, f"{name}: {response.message}"

    def arm(self):
        """Clear and arm, as an operator does.

        On a busy machine a reset stops the simulated joint_states for long enough to be a FAULT.
        """
        from std_srvs.srv import Trigger

        def armed():
            self.call(Trigger, "/widowx_guard/clear")
            return self.call(Trigger, "/widowx_guard/arm").success

        self.wait_until(armed, 10, "the guard armed")

    def transition(self, node, transition_id):
        from lifecycle_msgs.msg import Transition
        from lifecycle_msgs.srv import ChangeState

        request = Transition(id=transition_id)
        return self.call(ChangeState, f"/{node}/change_state", transition=request).success

    def bring_up(self, *nodes, timeout_s=40.0):
        """Configure and activate lifecycle nodes, as the lifecycle manager does."""
        from lifecycle_msgs.msg import Transition

        for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
            for node in nodes:
                self.wait_until(
                    lambda n=node, t=transition: self.transition(n, t), timeout_s, f"{node} to come up"
                )

    def stop(self):
        for process in self.processes.values():
            if process.popen.poll() is None:
                process.popen.send_signal(signal.SIGINT)
        deadline_s = time.monotonic() + 8
        for process in self.processes.values():
            try:
                process.popen.wait(max(deadline_s - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.popen.kill()
                process.popen.wait()
        self.executor.shutdown()
        self.node.destroy_node()
        self.context.shutdown()


@pytest.fixture
def system():
    """A system on a ROS domain that no other test uses at the same time."""
    yield from new_system()


def new_system(shared_memory=True):
    """A system, and its end; without shared memory no process that is killed can make this one wait."""
    pytest.importorskip("rclpy")
    pytest.importorskip("theia_msgs")
    apply_transport_defaults()
    remove_orphaned_shared_memory()
    system = System(_domain_id(), shared_memory)
    yield system
    system.stop()
    remove_orphaned_shared_memory()


@pytest.fixture(scope="module")
def simulator(tmp_path_factory):
    """The simulated Spot of a file of tests."""
    from .spot_simulator import running_simulator

    with running_simulator(tmp_path_factory.mktemp("spot")) as simulator:
        yield simulator


@pytest.fixture
def untouched_simulator(tmp_path):
    """One that no other bridge is, or was, in charge of."""
    from .spot_simulator import running_simulator

    with running_simulator(tmp_path / "spot") as simulator:
        yield simulator


@pytest.fixture(scope="module")
def bridge(simulator):
    """The bridge in charge of a robot that stands with its arm ready."""
    from .spot_operator import Operator
    from .spot_simulator import bridge_parameters

    apply_transport_defaults()
    system = System(_domain_id())
    try:
        system.start("theia", "spot_bridge", **bridge_parameters(simulator))
        operator = Operator(system, simulator)
        system.bring_up("spot_bridge")
        yield operator
    finally:
        system.stop()
        remove_orphaned_shared_memory()


@pytest.fixture
def operator(bridge):
    """The policy moves the hand; what the last test has left behind is put right as an operator does it."""
    bridge.put_right()
    return bridge


def _domain_id():
    """A ROS domain for each test; processes of pytest-xdist draw from ranges of their own.

    A domain comes back as late as can be: what a killed process has left in one must not meet another test.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    first, domains = (1 + 45 * (int(worker[2:]) % 2), 45) if worker else (1, 90)
    return first + (os.getpid() * 11 + next(_counter)) % domains


def remove_orphaned_shared_memory():
    """Free what killed processes have left in /dev/shm; its locks must not meet another test."""
    for file in orphaned_segments():
        file.unlink(missing_ok=True)
