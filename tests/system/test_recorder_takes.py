"""The recorder node, the test as camera and arm: orders by service and button, warnings, a full disk, kills.

As often as the recorder is killed at a random moment, about two minutes:

    THEIA_KILLS=20 python -m pytest -s tests/system/test_recorder_takes.py -k killed
"""

import json
import os
import resource
import time

import numpy as np
import pytest

pytest.importorskip("rclpy")
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import Image, JointState, Joy
from theia_msgs.msg import ActionChunk
from theia_msgs.srv import RecordEpisode

from theia.messages.images import image_message
from theia.nodekit.qos import EVENT, RECORDING
from theia.topics import EXECUTED_ACTION, IMAGE, JOY, RECORD
from theia_core.episodes import find_episodes, load_episode
from theia_core.episodes.topics import OBSERVED_JOINTS
from theia_core.teleop.controls import load_controls

KILLS = int(os.environ.get("THEIA_KILLS", "3"))
pytestmark = pytest.mark.system

BUTTONS = load_controls("gamepad").buttons


class Robot:
    """Publishes frames at 10 Hz, joints at 50 Hz and actions at 5 Hz while the test spins."""

    def __init__(self, system, height=48, width=64):
        self.system, self.camera_on = system, True
        self.rng = np.random.default_rng(0)
        self.size = (height, width, 3)
        node = system.node
        self.images = node.create_publisher(Image, IMAGE, RECORDING)
        self.joints = node.create_publisher(JointState, "/wx250s/joint_states", RECORDING)
        self.actions = node.create_publisher(ActionChunk, EXECUTED_ACTION, EVENT)
        self.joy = node.create_publisher(Joy, JOY, EVENT)
        node.create_timer(0.1, self.send_image)
        node.create_timer(0.02, self.send_joints)
        node.create_timer(0.2, self.send_action)

    def now(self):
        return self.system.node.get_clock().now().to_msg()

    def send_image(self):
        if self.camera_on:
            pixels = self.rng.integers(0, 255, self.size, dtype=np.uint8)
            self.images.publish(image_message(pixels, self.now(), "camera"))

    def send_joints(self):
        message = JointState(name=list(OBSERVED_JOINTS), position=[0.0] * 7)
        message.header.stamp = self.now()
        self.joints.publish(message)

    def send_action(self):
        chunk = ActionChunk(horizon=1, dim=7, dt_s=0.2, action_space="ee_delta")
        chunk.header.stamp = self.now()
        chunk.data.frombytes(np.full(7, 0.01, np.float32).tobytes())
        self.actions.publish(chunk)

    def press(self, name):
        buttons = [0] * 12
        self.joy.publish(Joy(buttons=buttons))
        buttons[BUTTONS[name]] = 1
        self.joy.publish(Joy(buttons=buttons))
        self.joy.publish(Joy(buttons=[0] * 12))


def start(system, folder, height=48, width=64, **parameters):
    robot = Robot(system, height, width)
    parameters = {"folder": str(folder), "images": "raw", "joints_hz": 50.0, **parameters}
    system.start("theia", "recorder", **parameters)
    system.wait_until(lambda: robot.images.get_subscription_count() == 1, what="the recorder")
    return robot


def order(system, command, metadata=None, episode_id=""):
    fields = {"command": command, "episode_id": episode_id, "metadata_json": json.dumps(metadata or {})}
    return system.call(RecordEpisode, RECORD, **fields)


def test_takes_are_kept_discarded_and_undone_by_service(system, tmp_path):
    start(system, tmp_path, operator="kim", task="door")
    first = order(system, "start", {"notes": "first"}, "first")
    assert first.success
    system.spin(1.5)
    kept = order(system, "keep")
    episode = load_episode(kept.path)
    labels = episode.metadata
    assert (labels["operator"], labels["notes"], labels["success"]) == ("kim", "first", True)
    assert set(labels["software"]) >= {"theia"}
    assert len(labels["robot_profile_sha256"]) == 64
    assert labels["streams"]["joint_states"]["messages"] == len(episode.joints().stamps_s) > 20
    assert {"/camera/image_raw", "/theia/executed_action"} <= set(episode.topics)

    assert order(system, "undo").success
    assert find_episodes(tmp_path) == []
    assert order(system, "undo").success
    assert [path.stem for path in find_episodes(tmp_path)] == ["first"]

    assert order(system, "start", episode_id="second").success
    assert "keep or discard it first" in order(system, "undo").message
    system.spin(0.5)
    assert order(system, "discard").success
    assert [path.stem for path in find_episodes(tmp_path)] == ["first"]
    assert order(system, "undo").success
    assert [path.stem for path in find_episodes(tmp_path)] == ["first", "second"]
    assert "nothing is being recorded" in order(system, "keep").message


def test_takes_are_ordered_by_buttons_and_troubles_are_said_while_recording(system, tmp_path):
    robot = start(system, tmp_path, controls="gamepad")
    said = system.listen(DiagnosticArray, "/diagnostics", 50)
    system.wait_until(lambda: robot.joy.get_subscription_count() == 1, what="the recorder's ear for buttons")
    robot.press("start")
    system.wait_until(lambda: list(tmp_path.glob("*.mcap.partial")), 10, "a take")
    system.spin(1.0)
    robot.camera_on = False

    def warned():
        return [s.message for m in said for s in m.status if "camera has been silent" in s.message]

    system.wait_until(warned, 10, "a warning about the camera")
    robot.press("keep")
    system.wait_until(lambda: find_episodes(tmp_path), 10, "the kept take")
    (path,) = find_episodes(tmp_path)
    assert "camera has been silent" in load_episode(path).metadata["warnings"]["camera"]
    assert "camera has been silent" in system.processes["recorder"].output
    robot.press("undo")
    system.wait_until(lambda: not find_episodes(tmp_path), 10, "the take undone")


def test_a_full_disk_ends_the_take_alone_and_what_was_finished_stays(system, tmp_path):
    start(system, tmp_path, height=240, width=320)  # 2.3 MB/s
    process = system.processes["recorder"]
    assert order(system, "start", episode_id="short").success
    system.spin(0.6)
    assert order(system, "keep").success
    finished = (tmp_path / "short.mcap").read_bytes()
    assert order(system, "start", episode_id="long").success
    # A disk that is full: the kernel refuses what would make a file longer than 4 MB.
    resource.prlimit(process.popen.pid, resource.RLIMIT_FSIZE, (4_000_000, resource.RLIM_INFINITY))
    system.wait_until(lambda: "cannot write episode" in process.output, 20, "the disk to be full")
    assert process.popen.poll() is None, "the recorder goes on"
    assert (tmp_path / "short.mcap").read_bytes() == finished
    left = load_episode(tmp_path / "long.mcap.partial", allow_partial=True)
    assert left.metadata["complete"] is False
    assert len(list(left.messages(IMAGE))) >= 3
    assert "nothing is being recorded" in order(system, "keep").message
    assert order(system, "start", episode_id="again").success
    system.spin(0.3)
    assert order(system, "keep").success


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_recorder_costs_a_second_of_the_running_take_and_none_that_was_finished(
    system, tmp_path, number
):
    start(system, tmp_path, height=120, width=160)
    assert order(system, "start", episode_id="done").success
    system.spin(0.4)
    path = order(system, "keep").path
    finished = load_episode(path).metadata["streams"]
    assert order(system, "start", episode_id="running").success
    begun_s = time.time()
    system.spin(float(np.random.default_rng(number).uniform(0.05, 3.0)))
    killed_s = system.processes["recorder"].kill()
    assert load_episode(path).metadata["streams"] == finished
    left = load_episode(tmp_path / "running.mcap.partial", allow_partial=True)
    assert left.metadata["complete"] is False
    recorded_s = left.joints().stamps_s[-1] if "/wx250s/joint_states" in left.topics else begun_s
    print(f"killed {killed_s - begun_s:.2f} s into a take: {killed_s - recorded_s:.2f} s are lost")
    assert killed_s - recorded_s < 1.0
