"""`kill -9` during an extraction: finished shards survive it untouched, only the rest is computed."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from theia_training.features import FeatureStore
from theia_training.features.check import check_store


@pytest.mark.slow
def test_kill_9_loses_at_most_the_running_shard(tmp_path):
    images, out = tmp_path / "pictures", tmp_path / "features"
    images.mkdir()
    random = np.random.default_rng(0)
    for number in range(40):
        Image.fromarray(random.integers(0, 256, (240, 320, 3), dtype=np.uint8)).save(
            images / f"{number:02d}.png"
        )
    options = ["--images", images, "--teachers", "efficientnet-lite2-s16", "--shard-size", "4", "--out", out]
    command = [sys.executable, "-m", "theia_core.cli", "features", *map(str, options)]
    run = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list(out.glob("shard-*.json"))) < 2:
        assert time.monotonic() < deadline and run.poll() is None
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()
    finished = {path: (path.read_bytes(), os.stat(path).st_mtime_ns) for path in out.glob("shard-*.json")}
    assert 2 <= len(finished) < 10, "the run was killed too early or too late to show anything"
    with pytest.raises(Exception, match=r"lacks \d of 10 shards"):
        FeatureStore(out)
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert f"{10 - len(finished)} shards to do" in again.stdout
    for path, before in finished.items():
        assert (path.read_bytes(), os.stat(path).st_mtime_ns) == before
    assert check_store(out) == []
    assert not list(out.glob("*.partial*")), "leftovers of the killed run"
