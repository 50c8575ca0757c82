"""`theia up`: comes up, goes down in order with the arm holding, and reports what does not work."""

import signal
import sys

import pytest

pytest.importorskip("rclpy")
from theia_msgs.msg import GuardState

from theia.nodekit.qos import STATE
from theia.topics import GUARD_STATE

pytestmark = [pytest.mark.system, pytest.mark.timed]


def up(system, tmp_path, *arguments):
    command = [sys.executable, "-m", "theia_core.cli", "up", "widowx_door", *arguments]
    return system.start_command("theia up", command, cwd=tmp_path, start_new_session=True)


def test_comes_up_and_goes_down_on_interrupt_with_the_arm_holding(system, tmp_path):
    process = up(system, tmp_path, "trials:=0")
    states = system.listen(GuardState, GUARD_STATE, STATE)
    system.wait_until(lambda: "all active" in process.output, 60, "all nodes to be active")
    system.arm()
    system.wait_until(lambda: states and states[-1].mode == GuardState.ACTIVE, what="ACTIVE")
    process.popen.send_signal(signal.SIGINT)
    system.wait_until(lambda: process.popen.poll() is not None, 15, "the end")
    assert process.popen.returncode == 0
    system.wait_until(lambda: states[-1].mode == GuardState.HOLD, 5, "HOLD")
    assert "the guard was shut down; the arm keeps its last goal" in states[-1].reason
    assert "did not end" not in process.output, "a node had to be terminated"
    assert "Traceback" not in process.output
    for name in ("bc_policy", "encoder", "widowx_guard", "widowx_sim"):
        assert f"[{name}]" in process.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("policy:=nosuch",), "/encoder did not configure: unknown policy 'nosuch'"),
        (("encoder:=nosuch",), "/encoder did not configure: "),
    ],
)
def test_node_that_cannot_work_ends_everything_with_its_reason(system, tmp_path, arguments, sentence):
    process = up(system, tmp_path, "trials:=0", *arguments)
    code = process.popen.wait(60)
    system.spin(0.3)
    assert code == 2
    assert f"lifecycle_manager: error: {sentence}" in process.output
    assert "Traceback" not in process.output


def test_real_robot_waits_for_its_driver_and_starts_no_simulator(system, tmp_path):
    process = up(system, tmp_path, "robot:=real")
    system.wait_until(lambda: "is xs_sdk running?" in process.output, 60, "the wait for xs_sdk")
    names = [name for name, _ in system.node.get_node_names_and_namespaces()]
    assert "widowx_sim" not in names
    assert not [name for name, _ in system.node.get_service_names_and_types() if name.startswith("/sim")]
    process.popen.send_signal(signal.SIGINT)
    assert process.popen.wait(15) == 0


def test_real_robot_is_controlled_where_driver_and_camera_come_from_elsewhere(system, tmp_path):
    system.start("theia_sim", "widowx_sim")
    process = up(system, tmp_path, "robot:=real")
    states = system.listen(GuardState, GUARD_STATE, STATE)
    system.wait_until(lambda: "all active" in process.output, 60, "all nodes to be active")
    assert "[widowx_sim]" not in process.output and "[evaluator]" not in process.output
    system.arm()
    system.wait_until(lambda: states and states[-1].mode == GuardState.ACTIVE, what="ACTIVE")
    started = list(states[-1].measured[:6])

    def moved():
        return max(abs(now - then) for now, then in zip(states[-1].measured[:6], started, strict=True)) > 0.1

    system.wait_until(moved, 15, "the policy to move the arm")
    process.popen.send_signal(signal.SIGINT)
    assert process.popen.wait(15) == 0
