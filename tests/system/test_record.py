"""The whole recording bring-up: a synthetic operator demonstrates the door with a gamepad's messages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from theia_core.episodes import find_episodes, load_episode, resample

pytestmark = [pytest.mark.system, pytest.mark.timed, pytest.mark.slow, pytest.mark.timeout(280)]


def test_a_synthetic_operator_records_a_demonstration_over_ros(tmp_path):
    theia = Path(sys.executable).with_name("theia")
    arguments = ["task:=door", "robot:=sim", "teleop:=synthetic", "episodes:=1", "seed:=3"]
    command = [theia, "up", "record", *arguments, f"output:={tmp_path}", "operator:=robot"]
    environment = {**os.environ, "ROS_DOMAIN_ID": "95"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=260)
    assert done.returncode == 0, done.stdout + done.stderr
    kept = find_episodes(tmp_path)
    assert kept, done.stdout
    episode = load_episode(kept[0])
    labels = episode.metadata
    assert (labels["task"], labels["success"], labels["simulated"]) == ("door", True, True)
    assert labels["stages"] == {"open": True, "fully_open": True}
    assert "base_height_m" in labels["randomisation"]
    assert {"/theia/guard_state", "/theia/action_chunk"} <= set(episode.topics)
    assert set(episode.actions().policy_ids) == {"teleop-gamepad"}
    assert len(resample(episode)) > 20
