"""Unattended collection on the simulated Spot: everything goes through the bridge, as on a real one."""

import os
import socket

import pytest

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
pytest.importorskip("rclpy")
pytest.importorskip("theia_msgs")
pytest.importorskip("bosdyn.client", reason="needs the extra `spot`")
from geometry_msgs.msg import PoseStamped
from lifecycle_msgs.srv import ChangeState
from theia_msgs.msg import TaskState

from theia.messages.json_object import parse_object
from theia.nodekit.qos import EVENT, STREAM
from theia.topics import TASK_STATE, WALK_TO
from theia_core.episodes import load_episode

from .spot_simulator import patient_profile

pytestmark = pytest.mark.system


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_drawer_is_opened_recorded_and_shut_again_and_what_is_there_is_skipped(system, tmp_path):
    port, folder, episodes = free_port(), tmp_path / "spot", tmp_path / "episodes"
    system.start("theia_sim", "spot_sim", port=port, folder=str(folder), seed=5)
    system.start("theia", "recorder", folder=str(episodes), robot="spot_arm", joints_hz=15.0)
    bridge = system.start(
        "theia",
        "spot_bridge",
        hostname="127.0.0.1",
        port=port,
        certificate=str(folder / "robot.crt"),
        credentials_file=str(folder / "credentials.json"),
        camera_rate_hz=2.0,
        robot=str(patient_profile(tmp_path)),
    )
    change = system.node.create_client(ChangeState, "/spot_bridge/change_state")
    system.wait_until(change.service_is_ready, 60, "the bridge")
    system.bring_up("spot_bridge", timeout_s=60)
    scene = system.listen(TaskState, TASK_STATE, EVENT)

    collector = system.start(
        "theia", "spot_collector", folder=str(episodes), episodes=1, first_seed=7, robot="sim"
    )
    system.wait_until(lambda: collector.popen.poll() is not None, 150, "the collector's end")
    assert collector.popen.returncode == 0, system.output()
    assert "drawer_000007: open, pulled" in collector.output
    print(collector.output)
    info = parse_object(scene[-1].info_json, "info_json")
    assert info["drawer_m"] < 0.02  # shut again
    metadata = load_episode(episodes / "drawer_000007.mcap").metadata
    assert metadata["success"] and metadata["simulated"] and metadata["robot"] == "spot_arm"

    again = system.start("theia", "spot_collector", folder=str(episodes), episodes=1, first_seed=7)
    system.wait_until(lambda: again.popen.poll() is not None, 60, "the collector's end")
    assert again.popen.returncode == 0
    assert "drawer_000007: is there already" in again.output

    walk = system.node.create_publisher(PoseStamped, WALK_TO, STREAM)
    order = PoseStamped()
    order.header.frame_id = "vision"
    order.header.stamp = system.node.get_clock().now().to_msg()
    order.header.stamp.sec -= 60

    def refused():
        walk.publish(order)
        system.spin(0.1)
        return "not walking: the order to walk is 60." in bridge.output

    system.wait_until(refused, 10, "an old order to be refused")
