"""Who may command: lease, e-stop, power."""

import time

import pytest
from bosdyn.client.exceptions import LeaseUseError
from bosdyn.client.lease import LeaseNotOwnedByWallet, ResourceAlreadyClaimedError
from bosdyn.client.power import EstoppedError
from bosdyn.client.robot_command import NotPoweredOnError
from bosdyn.client.robot_command import RobotCommandBuilder as Builder
from google.protobuf.duration_pb2 import Duration

from .conftest import connect, wait_until

OPEN = Builder.claw_gripper_open_fraction_command(1.0)


def test_lease_that_is_held_can_be_taken_but_not_acquired(simulator, ready):
    other = connect(simulator)
    leases = other.ensure_client("lease")
    with pytest.raises(ResourceAlreadyClaimedError):
        leases.acquire()
    leases.take()
    other.ensure_client("robot-command").robot_command(OPEN)


def test_after_a_theft_two_kinds_of_error_follow(simulator, ready):
    ready.command.robot_command(OPEN)
    assert "injected lease_theft" in simulator.inject({"fault": "lease_theft", "by": "tablet"})
    with pytest.raises(LeaseUseError):
        ready.command.robot_command(OPEN)
    with pytest.raises(LeaseNotOwnedByWallet):
        ready.command.robot_command(OPEN)
    assert ready.lease_client.list_leases()[0].lease_owner.client_name == "tablet"


def test_silent_holder_loses_the_lease_and_the_robot_stops(simulator, ready):
    ready.lease.shutdown()
    simulator.robot.leases.timeout_s = 0.3
    wait_until(lambda: "silent" in simulator.robot.stop_reason)
    with pytest.raises(LeaseUseError):
        ready.command.robot_command(OPEN)


def test_motors_stay_off_without_an_endpoint_that_allows_them(client):
    client.ensure_client("lease").acquire()
    with pytest.raises(EstoppedError):
        client.power_on(timeout_sec=5)


def test_estop_of_another_device_cuts_the_power_until_it_is_released(simulator, ready):
    simulator.inject({"fault": "estop"})
    wait_until(lambda: not ready.robot.is_powered_on())
    assert ready.robot.is_estopped()
    with pytest.raises(NotPoweredOnError):
        ready.command.robot_command(OPEN)
    with pytest.raises(EstoppedError):
        ready.robot.power_on(timeout_sec=5)
    simulator.inject({"fault": "clear"})
    ready.robot.power_on(timeout_sec=10, update_frequency=20)


def test_endpoint_that_falls_silent_settles_and_then_cuts(simulator, ready):
    ready.estop.shutdown()
    simulator.robot.estop.config.endpoints[0].timeout.CopyFrom(Duration(seconds=1))
    wait_until(lambda: "settling" in simulator.robot.stop_reason)
    assert ready.robot.is_powered_on()
    wait_until(lambda: not ready.robot.is_powered_on())


def test_wrong_answers_to_the_challenge_count_as_silence(ready):
    from bosdyn.client.estop import IncorrectChallengeResponseError

    endpoint = ready.estop.endpoint
    with pytest.raises(IncorrectChallengeResponseError):
        endpoint.client.check_in(4, endpoint, 1, 2)


def test_without_power_the_arm_sinks(simulator, ready):
    before_m = simulator.env.hand_pose("world").position_m[2]
    ready.robot.power_off(cut_immediately=True, timeout_sec=10, update_frequency=20)
    time.sleep(0.1)
    wait_until(lambda: simulator.env.hand_pose("world").position_m[2] < before_m - 0.05)
