"""The whole way, as `make door` goes it: simulator, encoder, policy, guard and evaluator open the door."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from theia_core.evaluation import Ledger

pytestmark = [pytest.mark.system, pytest.mark.timed, pytest.mark.slow, pytest.mark.timeout(280)]


def test_the_shipped_policy_opens_the_door_over_ros(tmp_path):
    theia = Path(sys.executable).with_name("theia")
    command = [theia, "up", "widowx_door", "robot:=sim", "trials:=2", "seed:=1000", f"output:={tmp_path}"]
    environment = {**os.environ, "ROS_DOMAIN_ID": "93"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=260)
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = tmp_path.iterdir()
    result = json.loads((run / "result.json").read_text())
    assert result["simulated"] is True
    assert result["stages"]["fully_open"]["successes"] >= 1, done.stdout
    assert len([record for record in Ledger(run / "ledger.jsonl").read() if record["counted"]]) == 2
    assert (run / "door.mp4").stat().st_size > 10_000
    assert (run / "token_map.png").stat().st_size > 10_000
    assert "5 Hz control: jitter" in done.stdout and "camera frame -> action chunk" in done.stdout
