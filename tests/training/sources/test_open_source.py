"""Folders, WebDataset shards and episodes behind one interface."""

import io
import pickle
import re
import tarfile

import numpy as np
import pytest

from theia_core.episodes import EpisodeRecorder
from theia_core.episodes.topics import OBSERVED_JOINTS
from theia_core.errors import TheiaError
from theia_training.sources import ImageRef, UnreadableImage, open_source


def write_tar(path, members, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.fixture
def folder(tmp_path, picture, encode):
    """photos/ with crops of two photographs, one of them in a subfolder, and things that are no images."""
    root = tmp_path / "photos"
    (root / "sea").mkdir(parents=True)
    (root / ".cache").mkdir()
    for index, name in enumerate(["cat__000.png", "cat__001.png", "sea/a wave__000.png"]):
        (root / name).write_bytes(encode(picture(index)))
    (root / "sources.csv").write_text("source\n")
    (root / ".cache" / "hidden.png").write_bytes(encode(picture()))
    return root


def test_a_folder_names_images_by_path_and_groups_crops_by_photograph(folder, picture):
    source = open_source(folder)
    assert source.refs() == [
        ImageRef("photos/cat__000", "photos/cat"),
        ImageRef("photos/cat__001", "photos/cat"),
        ImageRef("photos/sea/a-wave__000", "photos/sea/a-wave"),
    ]
    for index, ref in enumerate(source.refs()):
        assert np.array_equal(source.load(ref), picture(index))


def test_the_same_folder_gives_the_same_keys_however_it_is_written(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert open_source(".").refs() == open_source(str(folder) + "/").refs()


def test_keys_hold_only_what_members_of_archives_may_be_called(folder, picture, encode):
    (folder / "Ünïcode & spaces (1).png").write_bytes(encode(picture()))
    assert all(re.fullmatch(r"[A-Za-z0-9_./-]+", ref.key) for ref in open_source(folder).refs())


def test_two_files_of_one_key_are_refused(folder, picture, encode):
    (folder / "cat__000.jpg").write_bytes(encode(picture(), "JPEG"))
    with pytest.raises(TheiaError, match="would both be the image photos/cat__000; rename one"):
        open_source(folder)


def test_a_broken_file_is_refused_when_it_is_loaded_and_no_earlier(folder):
    (folder / "cat__002.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    source = open_source(folder)
    broken = next(ref for ref in source.refs() if ref.key.endswith("cat__002"))
    with pytest.raises(UnreadableImage, match=r"cat__002\.png cannot be|cat__002\.png is no image"):
        source.load(broken)


def test_a_file_that_went_away_is_an_unreadable_image(folder):
    source = open_source(folder)
    (folder / "cat__001.png").unlink()
    with pytest.raises(UnreadableImage, match=r"cat__001\.png cannot be read"):
        source.load(source.refs()[1])


def test_shards_give_the_images_of_their_samples(tmp_path, picture, encode):
    root = tmp_path / "wds"
    root.mkdir()
    write_tar(
        root / "00.tar", {"b__0.png": encode(picture(1)), "b__0.cls": b"7", "a.png": encode(picture(2))}
    )
    write_tar(root / "01.tar", {"in/b__1.json": b"{}", "in/b__1.png": encode(picture(3)), "b__1.jpg": b"?"})
    source = open_source(root)
    assert source.refs() == [
        ImageRef("wds/00/a", "wds/a"),
        ImageRef("wds/00/b__0", "wds/b"),
        ImageRef("wds/01/b__1", "wds/b"),
        ImageRef("wds/01/in/b__1", "wds/in/b"),
    ]
    assert np.array_equal(source.load(source.refs()[1]), picture(1))
    assert np.array_equal(source.load(source.refs()[3]), picture(3))
    with pytest.raises(UnreadableImage, match=r"01\.tar: b__1\.jpg is no image"):
        source.load(source.refs()[2])


def test_a_single_shard_is_a_source(tmp_path, picture, encode):
    path = write_tar(tmp_path / "train-3.tar", {"x.png": encode(picture())})
    assert open_source(path).refs() == [ImageRef("train-3/x", "train-3/x")]


def test_compressed_truncated_and_doubled_shards_are_refused(tmp_path, picture, encode):
    data = encode(picture())
    packed = write_tar(tmp_path / "packed.tar", {"x.png": data}, "w:gz")
    with pytest.raises(TheiaError, match=r"packed\.tar is no whole uncompressed tar file"):
        open_source(packed)
    whole = write_tar(tmp_path / "whole.tar", {"x.png": data, "y.png": data * 9}).read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[: 1536 + len(data)])
    with pytest.raises(TheiaError, match=r"cut\.tar is no whole uncompressed tar file"):
        open_source(tmp_path / "cut.tar")
    double = write_tar(tmp_path / "double.tar", {"x.png": data, "x.jpg": data})
    with pytest.raises(TheiaError, match="would both be the image double/x"):
        open_source(double)
    with pytest.raises(TheiaError, match="holds no sample with an image"):
        open_source(write_tar(tmp_path / "none.tar", {"x.txt": b"hello"}))


@pytest.fixture
def bags(tmp_path, picture):
    """door/ with two episodes of 5 and 3 frames; the second records raw images."""
    root = tmp_path / "door"
    root.mkdir()
    names = (*OBSERVED_JOINTS[:6], "gripper", "left_finger", "right_finger")
    for episode, steps in enumerate((5, 3)):
        path = root / f"door_{episode:06d}.mcap"
        recorder = EpisodeRecorder(path, {"task": "door"}, raw_images=episode == 1)
        for step in range(steps):
            recorder.image(0.2 * step, picture(10 * episode + step))
            recorder.joints(0.2 * step, names, np.zeros(9), None, None)
            recorder.action(0.2 * step, np.zeros(7, np.float32), "expert")
        recorder.close(success=True, stages={}, steps=steps)
    return root


def test_episodes_give_every_nth_frame_and_are_their_own_source(bags, picture):
    source = open_source(bags, every=2)
    assert source.refs() == [
        *(ImageRef(f"door/door_000000/{index:06d}", "door/door_000000") for index in (0, 2, 4)),
        *(ImageRef(f"door/door_000001/{index:06d}", "door/door_000001") for index in (0, 2)),
    ]
    for ref, seed in zip(source.refs(), (0, 2, 4, 10, 12), strict=True):
        assert np.abs(source.load(ref).astype(int) - picture(seed)).mean() < 4  # JPEG


def test_a_folder_gives_every_nth_image_by_name(folder):
    everything = open_source(folder).refs()
    assert open_source(folder, every=2, images_too=True).refs() == everything[::2] != everything
    assert open_source(folder, every=2).refs() == everything


def test_frames_can_be_loaded_in_any_order_and_in_another_process(bags):
    source = open_source(bags / "door_000000.mcap")
    in_order = [source.load(ref) for ref in source.refs()]
    copy = pickle.loads(pickle.dumps(source))
    for index in (3, 3, 0, 4, 1):
        assert np.array_equal(copy.load(copy.refs()[index]), in_order[index])


def test_a_damaged_episode_is_refused(bags):
    path = bags / "door_000001.mcap"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(TheiaError, match=r"door_000001\.mcap cannot be read to its end"):
        open_source(bags)


def test_wrong_paths_are_refused_with_what_would_be_right(tmp_path, folder, bags):
    with pytest.raises(TheiaError, match=r"there is no .*nowhere; give a folder"):
        open_source(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(TheiaError, match=r"empty holds no images that can be read; known are \.jpg"):
        open_source(tmp_path / "empty")
    with pytest.raises(
        TheiaError, match=r"2 episodes \(\.mcap\) and 3 images; give folders that hold one kind"
    ):
        open_source(tmp_path)
    with pytest.raises(TheiaError, match="every is 0"):
        open_source(folder, every=0)
