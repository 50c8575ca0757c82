import json
import os
import signal
import subprocess
import sys
import time

from bosdyn.client import create_standard_sdk

from theia_core.cli import main

SIM = [sys.executable, "-m", "theia_core.cli", "sim", "spot"]


def test_runs_alone_and_ends_with_ctrl_c(tmp_path):
    command = [*SIM, "--port", "0", "--folder", str(tmp_path / "sim")]
    environment = {**os.environ, "BOSDYN_CLIENT_USERNAME": "robin", "BOSDYN_CLIENT_PASSWORD": "not-in-a-log"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        port = int(process.stdout.readline().rsplit(":", 1)[1])
        sdk = create_standard_sdk("test", cert_resource_glob=str(tmp_path / "sim" / "robot.crt"))
        robot = sdk.create_robot("127.0.0.1")
        robot.update_secure_channel_port(port)
        login = json.loads((tmp_path / "sim" / "credentials.json").read_text())
        robot.authenticate(login["username"], login["password"], timeout=20)
        robot.authenticate("robin", "not-in-a-log", timeout=20)
        assert not robot.is_powered_on()
        inject = [*SIM, "--folder", str(tmp_path / "sim"), "--inject", '{"fault": "battery", "percent": 5}']
        answer = subprocess.run(inject, capture_output=True, text=True, check=True)
        assert answer.stdout == "injected battery percent 5\n"
        state = robot.ensure_client("robot-state").get_robot_state()
        assert state.battery_states[0].charge_percentage.value == 5
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=20)[0]
        assert process.returncode == 0
        assert "not-in-a-log" not in output and login["password"] not in output
    finally:
        process.kill()


def test_mistakes_are_one_sentence(tmp_path, capsys):
    folder = ["--folder", str(tmp_path)]
    assert main(["sim", "spot", *folder, "--inject", "{"]) == 2
    assert main(["sim", "spot", *folder, "--inject", '{"fault": "estop"}']) == 2
    error = capsys.readouterr().err
    assert "--inject is no JSON" in error
    assert "no simulated Spot answers in" in error and "theia sim spot" in error


def test_wrong_orders_name_what_there_is(simulator):
    import pytest

    from theia_core.errors import TheiaError
    from theia_sim.spot.control import send_order

    started_s = time.monotonic()
    for order, words in (
        ({"fault": "?"}, "choose one of lease_theft, estop"),
        ({"fault": "outage"}, "fault outage takes seconds, not nothing"),
        ({"fault": "outage", "seconds": "long"}, "seconds must be a number from 0 to 3600"),
        ({"fault": "behavior_fault", "cause": "bad"}, "choose one of unknown, fall"),
    ):
        with pytest.raises(TheiaError, match=words):
            send_order(simulator.folder, order)
    assert time.monotonic() - started_s < 10
