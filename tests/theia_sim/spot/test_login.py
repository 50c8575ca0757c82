import time

import pytest
from bosdyn.client.auth import InvalidLoginError
from bosdyn.client.exceptions import RpcError, UnauthenticatedError
from bosdyn.util import duration_to_seconds

from theia_sim.spot.certificate import CERTIFICATE, CREDENTIALS, new_identity

from .conftest import SKEW_S, connect


def test_client_logs_in_and_learns_the_clock_of_the_robot(client):
    assert client.get_id().species == "spot"
    assert {entry.name for entry in client.list_services()} >= {"robot-command", "image", "world-objects"}
    assert duration_to_seconds(client.time_sync.endpoint.clock_skew) == pytest.approx(SKEW_S, abs=0.5)
    assert client.time_sec() == pytest.approx(time.time() + SKEW_S, abs=0.5)


def test_wrong_password_is_no_login(simulator):
    with pytest.raises(InvalidLoginError):
        connect(simulator, password="guess")


def test_certificate_of_another_robot_is_refused_by_the_client(simulator, tmp_path):
    (tmp_path / CERTIFICATE).write_bytes(new_identity().certificate)
    with pytest.raises(RpcError):
        connect(simulator, certificate=tmp_path / CERTIFICATE)


def test_login_file_is_for_its_owner_only_and_the_key_is_nowhere(simulator):
    assert (simulator.folder / CREDENTIALS).stat().st_mode & 0o777 == 0o600
    assert simulator.folder.stat().st_mode & 0o077 == 0
    assert all(
        b"PRIVATE KEY" not in path.read_bytes() for path in simulator.folder.glob("*.*") if path.is_file()
    )


def test_expired_token_is_refused_and_a_new_login_helps(simulator, client):
    state = client.ensure_client("robot-state")
    state.get_robot_state()
    simulator.inject({"fault": "token_expiry"})
    with pytest.raises(UnauthenticatedError):
        state.get_robot_state()
    client.authenticate("user", simulator.robot.passwords["user"])
    state.get_robot_state()


def test_token_lives_as_long_as_it_was_given(simulator, client):
    simulator.robot.tokens.lifetime_s = 0.05
    try:
        client.authenticate("user", simulator.robot.passwords["user"])
    finally:
        simulator.robot.tokens.lifetime_s = 3600.0
    time.sleep(0.1)
    with pytest.raises(UnauthenticatedError):
        client.list_services()
