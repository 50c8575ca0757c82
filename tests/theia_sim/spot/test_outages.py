import time

import pytest
from bosdyn.client.exceptions import (
    ProxyConnectionError,
    RpcError,
    TimedOutError,
    TransientFailureError,
    UnableToConnectToRobotError,
    UnauthenticatedError,
)
from bosdyn.client.robot_command import NoTimeSyncError
from bosdyn.client.robot_command import RobotCommandBuilder as Builder

from .conftest import wait_until

OPEN = Builder.claw_gripper_open_fraction_command(1.0)


def test_nothing_gets_through_an_outage_and_everything_after_it(simulator, ready):
    simulator.inject({"fault": "outage", "seconds": 60})
    before = simulator.robot.motions["mobility"].command_id
    with pytest.raises(RpcError):
        ready.command.robot_command(OPEN, timeout=0.3)
    time.sleep(0.5)
    simulator.inject({"fault": "clear"})
    time.sleep(0.1)
    assert "gripper" not in simulator.robot.motions  # what was given up is not executed later
    assert ready.command.robot_command(OPEN, timeout=10) == before + 1


def test_slow_network_delivers_what_nobody_waits_for_any_more(simulator, ready):
    simulator.inject({"fault": "slow_network", "delay_s": 0.6})
    with pytest.raises(RpcError):
        ready.command.robot_command(OPEN, timeout=0.2)
    wait_until(lambda: "gripper" in simulator.robot.motions)


def once_connected(call, timeout_s=30.0):
    """The answer of a call whose connection, one for each service, must be made anew first."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            return call()
        except (ProxyConnectionError, UnableToConnectToRobotError, TimedOutError, TransientFailureError):
            assert time.monotonic() < deadline_s
            time.sleep(0.1)


def test_restart_forgets_login_lease_estop_and_clock(simulator, ready):
    simulator.inject({"fault": "restart", "seconds": 0.3})
    with pytest.raises(RpcError):
        ready.state.get_robot_state(timeout=0.2)

    with pytest.raises(UnauthenticatedError):
        once_connected(lambda: ready.state.get_robot_state(timeout=1.0))
    password = simulator.robot.passwords["user"]
    once_connected(lambda: ready.robot.authenticate("user", password, timeout=1.0))
    assert not once_connected(lambda: ready.robot.is_powered_on(timeout=1.0))
    assert once_connected(lambda: ready.robot.is_estopped(timeout=1.0))
    once_connected(lambda: ready.lease_client.take(timeout=1.0))
    with pytest.raises(NoTimeSyncError):
        once_connected(lambda: ready.command.robot_command(OPEN, timeout=1.0))
    endpoint = ready.robot.time_sync.endpoint
    once_connected(lambda: endpoint.establish_timesync(break_on_success=False))
    once_connected(lambda: ready.robot.authenticate("user", password, timeout=1.0))
