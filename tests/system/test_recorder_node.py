"""The recorder beside the simulated robot: episodes of what was on the wire, readable even after kill -9."""

import json
import time

import pytest

pytest.importorskip("rclpy")
from sensor_msgs.msg import JointState
from theia_msgs.msg import EpisodeEvent
from theia_msgs.srv import RecordEpisode

from theia.nodekit.qos import EVENT
from theia.topics import EPISODE_EVENT, RECORD
from theia_core.episodes import load_episode

pytestmark = pytest.mark.system


def test_episodes_by_service_and_event_and_after_a_kill(system, tmp_path):
    heard = system.listen(JointState, "/wx250s/joint_states")
    system.start("theia_sim", "widowx_sim")
    process = system.start("theia", "recorder", folder=str(tmp_path / "episodes"))
    events = system.node.create_publisher(EpisodeEvent, EPISODE_EVENT, EVENT)
    system.wait_until(lambda: events.get_subscription_count() == 1, what="the recorder")
    system.wait_until(lambda: heard, 60, "the simulated arm, which begins after its camera")

    started = system.call(
        RecordEpisode,
        RECORD,
        command="start",
        episode_id="first",
        metadata_json='{"task": "door", "seed": 3}',
    )
    assert started.success
    assert not system.call(RecordEpisode, RECORD, command="start").success, "two at once"
    system.spin(2.0)
    events.publish(EpisodeEvent(event=EpisodeEvent.STAGE, detail="open"))
    system.spin(0.3)
    stopped = system.call(RecordEpisode, RECORD, command="stop", metadata_json='{"success": true}')
    episode = load_episode(stopped.path)
    assert episode.metadata["task"] == "door"
    assert episode.metadata["success"] is True
    assert episode.metadata["complete"] is True
    joints = episode.joints()
    assert len(joints.stamps_s) > 10  # 200 on a machine that has time for the simulator
    images = list(episode.images())
    assert len(images) >= 2
    assert images[0][1].shape == (480, 640, 3)
    assert [(event.event, event.detail) for event in episode.events()] == [("stage", "open")]

    metadata = json.dumps({"task": "door"})
    events.publish(EpisodeEvent(event=EpisodeEvent.START, episode_id="second", detail=metadata))
    partial = tmp_path / "episodes" / "second.mcap.partial"
    system.wait_until(partial.exists, 5, "the second episode")
    system.spin(2.5)
    killed_at_s = time.time()
    process.kill()
    crashed = load_episode(partial, allow_partial=True)
    assert crashed.metadata["complete"] is False
    assert killed_at_s - crashed.joints().stamps_s[-1] < 1.2
