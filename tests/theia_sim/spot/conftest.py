"""The simulated Spot, and the unmodified bosdyn-client that talks to it over TLS."""

import os
import time
from types import SimpleNamespace

import pytest

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
pytest.importorskip("bosdyn.client", reason="needs the extra `spot`")

from bosdyn.client import create_standard_sdk
from bosdyn.client.estop import EstopEndpoint, EstopKeepAlive
from bosdyn.client.lease import LeaseKeepAlive
from bosdyn.client.robot_command import blocking_stand

from theia_sim.scenes.drawer_params import DrawerParams
from theia_sim.spot.certificate import CERTIFICATE
from theia_sim.spot.simulator import SpotSimulator

SKEW_S = 500.0


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """One simulator for all tests."""
    errors = []
    simulator = SpotSimulator(
        tmp_path_factory.mktemp("spot"), port=0, seed=3, skew_s=SKEW_S, on_error=errors.append
    )
    yield simulator
    simulator.close()
    assert not errors, errors


@pytest.fixture
def simulator(running):
    """The simulator, its robot as if it had just been switched on, in a fresh scene."""
    running.inject({"fault": "clear"})
    running.server.start()
    with running.robot.lock:
        running.robot.boot()
        running.robot.clock.skew_s, running.robot.greyscale = SKEW_S, False
        running.robot.leases.timeout_s = 20.0  # this machine may be busy; tests of silence set their own
        running.env.reset(DrawerParams.sample(3))
    return running


def connect(simulator, *, password=None, certificate=None):
    """A robot object of the client, logged in and in sync."""
    path = certificate or simulator.folder / CERTIFICATE
    robot = create_standard_sdk("theia-test", cert_resource_glob=str(path)).create_robot("127.0.0.1")
    robot.update_secure_channel_port(simulator.server.port)
    robot.authenticate("user", password or simulator.robot.passwords["user"], timeout=20)
    robot.time_sync.wait_for_sync(timeout_sec=20)
    return robot


@pytest.fixture
def client(simulator):
    """A client that is logged in, and nothing more."""
    robot = connect(simulator)
    yield robot
    robot._shutdown()


@pytest.fixture
def ready(simulator, client):
    """A client in charge of a robot that stands: robot, command, state, lease, estop."""
    endpoint = EstopEndpoint(client.ensure_client("estop"), "theia-test", 20.0)
    endpoint.force_simple_setup()
    estop = EstopKeepAlive(endpoint, rpc_timeout_seconds=10.0, rpc_interval_seconds=1.0)
    estop.allow()
    lease_client = client.ensure_client("lease")
    lease_client.acquire()
    lease = LeaseKeepAlive(lease_client, must_acquire=True, warnings=False, rpc_interval_seconds=1.0)
    client.power_on(timeout_sec=20, update_frequency=20)
    command = client.ensure_client("robot-command")
    blocking_stand(command, timeout_sec=20, update_frequency=20)
    yield SimpleNamespace(
        robot=client,
        command=command,
        state=client.ensure_client("robot-state"),
        lease_client=lease_client,
        lease=lease,
        estop=estop,
    )
    lease.shutdown()
    estop.shutdown()


def wait_until(condition, timeout_s=20.0, what="it"):
    """Look until something holds."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"{what}: not within {timeout_s} s"
        time.sleep(0.02)
