"""The bridge's connection, without ROS: what a wrong login or certificate leads to; upright pictures."""

import json

import cv2
import numpy as np
import pytest

from theia.spot.link import SpotLink, Unreachable
from theia.spot.login import Login, read_login
from theia.spot.pictures import Upright
from theia_core.errors import TheiaError
from theia_sim.spot.certificate import new_identity


def login(simulator):
    return read_login(str(simulator.folder / "credentials.json"))


def test_login_file_of_the_simulator_opens_the_link(simulator):
    link = SpotLink("127.0.0.1", simulator.server.port, str(simulator.folder / "robot.crt"), login(simulator))
    reading = link.read()
    assert reading.estop == "software estop: no e-stop endpoint is registered"
    assert reading.trouble.startswith("the motors have no power")
    assert 499 < link.skew_s < 501
    link.close()


def test_bad_password_is_named_and_not_repeated(simulator):
    with pytest.raises(TheiaError) as error:
        SpotLink(
            "127.0.0.1",
            simulator.server.port,
            str(simulator.folder / "robot.crt"),
            Login("user", "secret-guess"),
        )
    assert "refuses user name or password" in str(error.value)
    assert not isinstance(error.value, Unreachable)  # trying again would lock the account
    assert "secret-guess" not in repr(error.value)


def test_wrong_certificate_and_absent_robot_are_named(simulator, tmp_path):
    other = tmp_path / "other.crt"
    other.write_bytes(new_identity().certificate)
    with pytest.raises(Unreachable, match=r"127.0.0.1:\d+: .*certificate"):
        SpotLink("127.0.0.1", simulator.server.port, str(other), login(simulator))
    with pytest.raises(Unreachable, match="no connection to the robot"):
        SpotLink("127.0.0.1", 1, str(simulator.folder / "robot.crt"), login(simulator))
    with pytest.raises(Unreachable, match="no certificate"):
        SpotLink("127.0.0.1", simulator.server.port, str(tmp_path / "none.crt"), login(simulator))


def test_login_comes_from_a_private_file_or_the_environment(tmp_path):
    path = tmp_path / "login.json"
    path.write_text(json.dumps({"username": "robin", "password": "word"}))
    path.chmod(0o640)
    with pytest.raises(TheiaError, match=r"mode 0640.*chmod 600"):
        read_login(str(path))
    path.chmod(0o600)
    found = read_login(str(path))
    assert (found.username, found.password) == ("robin", "word")
    assert "word" not in repr(found)
    environment = {"BOSDYN_CLIENT_USERNAME": "kim", "BOSDYN_CLIENT_PASSWORD": "open"}
    assert read_login("", environment).username == "kim"
    with pytest.raises(TheiaError, match="BOSDYN_CLIENT_USERNAME and BOSDYN_CLIENT_PASSWORD"):
        read_login("", {})
    path.write_text("robin")
    with pytest.raises(TheiaError, match="is no login"):
        read_login(str(path))


@pytest.mark.parametrize(
    ("source", "size"), [("frontleft_fisheye_image", (640, 480)), ("frontright_fisheye_image", (640, 480))]
)
def test_picture_of_a_real_camera_is_cut_without_black_corners(source, size):
    picture = np.full((480, 640, 3), 200, np.uint8)
    upright = Upright(source, size)(picture)
    assert upright.shape == (480, 640, 3)
    assert upright.min() >= 190


def test_upright_turns_clockwise():
    picture = np.zeros((480, 640, 3), np.uint8)
    cv2.circle(picture, (320, 60), 12, (255, 255, 255), -1)  # above the middle
    upright = Upright("frontleft_fisheye_image", (640, 480))(picture)
    rows, columns = np.nonzero(upright[..., 0] > 128)
    assert columns.mean() > 400  # is right of it after a turn of 78 degrees clockwise
    assert abs(rows.mean() - 240) < 80
