"""Exports, read with the formats' own layers: Parquet, H.264 and HDF5.

lerobot and robomimic themselves do not install beside this project's torch; docs/recording.md says how their
readers were tried on these files by hand.
"""

import json

import numpy as np
import pytest

from theia_core.cli import main
from theia_core.episodes import load_episode, resample

from .conftest import action

av = pytest.importorskip("av")


@pytest.fixture
def folder(record, tmp_path):
    (tmp_path / "all").mkdir()
    for index, steps in enumerate((12, 9)):
        record(f"all/{index}.mcap", steps=steps, start_s=100.0 * index)
    return tmp_path / "all"


def test_a_lerobot_dataset_has_the_steps_that_training_reads(folder, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "le"
    assert main(["episodes", "export", str(folder), "--to", "lerobot", "--out", str(out)]) == 0
    info = json.loads((out / "meta/info.json").read_text())
    assert (info["codebase_version"], info["total_episodes"], info["total_frames"]) == ("v3.0", 2, 21)
    rows = pq.read_table(out / "data/chunk-000/file-000.parquet").to_pydict()
    second = resample(load_episode(folder / "1.mcap"))
    np.testing.assert_array_equal(rows["episode_index"], [0] * 12 + [1] * 9)
    np.testing.assert_array_equal(np.array(rows["action"][12:], np.float32), second.actions)
    np.testing.assert_array_equal(np.array(rows["observation.state"][12:], np.float32), second.joints)
    np.testing.assert_allclose(rows["timestamp"][12:], 0.2 * np.arange(9), atol=1e-6)
    assert rows["index"] == list(range(21))
    episodes = pq.read_table(out / "meta/episodes/chunk-000/file-000.parquet").to_pydict()
    assert episodes["length"] == [12, 9]
    assert episodes["dataset_from_index"] == [0, 12]
    camera = "observation.images.policy"
    assert episodes[f"videos/{camera}/from_timestamp"] == pytest.approx([0.0, 2.4])
    with av.open(str(out / f"videos/{camera}/chunk-000/file-000.mp4")) as film:
        frames = {
            round(float(f.pts * f.time_base), 3): f.to_ndarray(format="rgb24") for f in film.decode(video=0)
        }
    assert len(frames) == 21
    first = frames[2.4].astype(int)  # of the second episode
    assert abs(first - second.images[0]).mean() < 6
    tasks = pq.read_table(out / "meta/tasks.parquet").to_pydict()
    assert tasks["__index_level_0__"] == ["Open the door of the toy fridge."]
    stats = json.loads((out / "meta/stats.json").read_text())
    actions = np.array(rows["action"])
    np.testing.assert_allclose(stats["action"]["mean"], actions.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(stats["action"]["std"], actions.std(axis=0), atol=1e-6)
    assert np.shape(stats[camera]["mean"]) == (3, 1, 1)
    assert 0.2 < stats[camera]["mean"][1][0][0] < 0.8


def test_a_robomimic_file_gives_the_actions_back(folder, tmp_path):
    h5py = pytest.importorskip("h5py")
    out = tmp_path / "a.hdf5"
    arguments = ["--to", "robomimic", "--out", str(out), "--size", "32x24", "--validation", str(folder)]
    assert main(["episodes", "export", str(folder / "0.mcap"), *arguments]) == 0
    with h5py.File(out) as file:
        data = file["data"]
        assert (data.attrs["total"], len(data)) == (21, 2)
        demo = data["demo_0"]
        scaled = demo["actions"][:]
        np.testing.assert_allclose(
            scaled * data.attrs["action_scale"] + data.attrs["action_offset"],
            [action(step) for step in range(12)],
            atol=1e-6,
        )
        assert set(np.unique(scaled[:, 6])) == {-1.0, 1.0}
        assert demo["obs/policy_image"].shape == (12, 24, 32, 3)
        np.testing.assert_array_equal(
            demo["obs/joint_positions"], resample(load_episode(folder / "0.mcap")).joints
        )
        assert demo["dones"][:].tolist() == [False] * 11 + [True]
        assert demo["rewards"][-1] == 1.0
        assert json.loads(data.attrs["env_args"])["env_name"] == "theia/door"
        assert [name.decode() for name in file["mask/valid"]] == ["demo_0", "demo_1"]


def test_nothing_is_overwritten_and_failures_are_left_out(folder, tmp_path, capsys):
    out = tmp_path / "full"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    arguments = ["episodes", "export", str(folder), "--to", "lerobot", "--out", str(out)]
    assert main(arguments) == 2
    assert "is not empty" in capsys.readouterr().err
    for path in folder.glob("*.mcap"):
        assert main(["episodes", "relabel", str(path), "--success", "no"]) == 0
    capsys.readouterr()
    assert main([*arguments[:-1], str(tmp_path / "other")]) == 2
    assert "no episodes to export" in capsys.readouterr().err
