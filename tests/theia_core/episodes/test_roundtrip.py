import json

import numpy as np
import pytest

from theia_core.episodes import EpisodeRecorder, EpisodeWriter, find_episodes, load_episode
from theia_core.episodes.codec import decode_compressed, encode_jpeg
from theia_core.episodes.messages import header, message
from theia_core.errors import TheiaError

from .conftest import NAMES, action, picture, positions


def test_what_was_recorded_comes_back(record):
    episode = load_episode(record())
    assert episode.metadata["task"] == "door"
    assert (episode.metadata["complete"], episode.metadata["success"]) == (True, True)
    assert episode.metadata["message_count"] == 31
    assert episode.duration_s == pytest.approx(2.0)
    assert {t: info.message_count for t, info in episode.topics.items()} == {
        "/camera/image_raw/compressed": 10,
        "/wx250s/joint_states": 10,
        "/theia/executed_action": 10,
        "/theia/episode_event": 1,
    }
    joints = episode.joints()
    assert joints.names == NAMES
    assert joints.velocities.shape == (10, 0)
    np.testing.assert_allclose(joints.positions[3], positions(0.6), rtol=1e-12)
    actions = episode.actions()
    np.testing.assert_array_equal(actions.actions[7], action(7))
    assert actions.policy_ids == ("expert",) * 10
    np.testing.assert_allclose(actions.stamps_s, 0.2 * np.arange(10), atol=1e-9)
    assert [(event.event, event.detail) for event in episode.events()] == [("stage", "open")]


def test_jpeg_frames_come_back_within_jpegs_error_and_raw_ones_exactly(record):
    for step, (stamp_s, rgb) in enumerate(load_episode(record("jpeg.mcap")).images()):
        assert stamp_s == pytest.approx(0.2 * step)
        assert np.abs(rgb.astype(int) - picture(step)).mean() < 2.0
    raw = load_episode(record("raw.mcap", raw_images=True))
    assert raw.image_topic == "/camera/image_raw"
    for step, (_, rgb) in enumerate(raw.images()):
        np.testing.assert_array_equal(rgb, picture(step))


def test_colours_are_not_swapped():
    red = np.zeros((32, 32, 3), np.uint8)
    red[:, :, 0] = 200
    back = decode_compressed(encode_jpeg(red))
    assert back[:, :, 0].mean() > 195
    assert back[:, :, 2].mean() < 5


def test_clock_time_stamps_survive_to_the_microsecond(record):
    episode = load_episode(record(start_s=1_763_000_000.123456))
    assert episode.actions().stamps_s[0] == pytest.approx(1_763_000_000.123456, abs=1e-6)
    assert episode.start_s == pytest.approx(1_763_000_000.123456, abs=1e-6)


def test_bytes_from_dds_are_stored_as_they_came(tmp_path):
    cdr = b"\x00\x01\x00\x00" + b"\x07\x00\x00\x00hello!\x00"
    with EpisodeWriter(tmp_path / "a.mcap", {}) as writer:
        writer.write_cdr("/said", "std_msgs/msg/String", cdr, 50, 40)
    episode = load_episode(tmp_path / "a.mcap")
    [(log_time_ns, said)] = episode.messages("/said")
    assert (log_time_ns, said.data) == (50, "hello!")


@pytest.mark.parametrize(("encoding", "channels"), [("rgb8", 3), ("bgr8", 3), ("rgba8", 4), ("mono8", 1)])
def test_raw_images_of_other_encodings_and_with_padded_rows_are_read_as_rgb(tmp_path, encoding, channels):
    wanted = picture(3)
    if encoding == "mono8":
        wanted = np.repeat(wanted[:, :, :1], 3, axis=2)
    stored = {"rgb8": wanted, "bgr8": wanted[:, :, ::-1], "mono8": wanted[:, :, :1]}.get(encoding)
    if stored is None:
        stored = np.concatenate([wanted, np.full((48, 64, 1), 255, np.uint8)], axis=2)
    padded = np.zeros((48, 64 * channels + 5), np.uint8)
    padded[:, : 64 * channels] = stored.reshape(48, -1)
    image = message(
        "sensor_msgs/msg/Image", header=header(0.0), height=48, width=64, encoding=encoding, is_bigendian=0,
        step=64 * channels + 5, data=padded.reshape(-1),
    )  # fmt: skip
    with EpisodeWriter(tmp_path / "a.mcap", {}) as writer:
        writer.write("/camera/image_raw", image, 0)
    [(_, rgb)] = load_episode(tmp_path / "a.mcap").images()
    np.testing.assert_array_equal(rgb, wanted)


def test_an_unsupported_image_encoding_is_named(tmp_path):
    fields = {"height": 2, "width": 2, "is_bigendian": 0, "step": 4, "data": np.zeros(8, np.uint8)}
    image = message("sensor_msgs/msg/Image", header=header(0.0), encoding="16UC1", **fields)
    with EpisodeWriter(tmp_path / "a.mcap", {}) as writer:
        writer.write("/camera/image_raw", image, 0)
    with pytest.raises(TheiaError, match="encoding '16UC1' is not supported"):
        next(load_episode(tmp_path / "a.mcap").images())


def test_wrong_pictures_are_refused_when_recorded(tmp_path):
    recorder = EpisodeRecorder(tmp_path / "a.mcap", {})
    with pytest.raises(TheiaError, match=r"not \(48, 64\) uint8"):
        recorder.image(0.0, picture(0)[:, :, 0])
    with pytest.raises(TheiaError, match="float64"):
        recorder.image(0.0, picture(0) / 255)
    recorder.discard()


def test_a_topic_that_is_not_there_is_named_with_those_that_are(record):
    with pytest.raises(TheiaError, match="has no /other; it holds /camera/image_raw/compressed, "):
        next(load_episode(record()).messages("/other"))


def test_an_unknown_message_type_and_a_changed_one_are_refused(tmp_path):
    writer = EpisodeWriter(tmp_path / "a.mcap", {})
    with pytest.raises(TheiaError, match="'their_msgs/msg/Thing': its definition is unknown"):
        writer.write_cdr("/thing", "their_msgs/msg/Thing", b"", 0)
    writer.write_cdr("/said", "std_msgs/msg/String", b"\x00\x01\x00\x00\x01\x00\x00\x00\x00", 0)
    with pytest.raises(TheiaError, match="/said carries std_msgs/msg/String in this episode"):
        writer.write_cdr("/said", "std_msgs/msg/Bool", b"\x00\x01\x00\x00\x01", 0)
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_finished_episodes_are_found_and_unfinished_ones_only_on_request(record, tmp_path):
    (tmp_path / "deeper").mkdir()
    finished = [record("b.mcap", steps=1), record("deeper/c.mcap", steps=1), record("a.mcap", steps=1)]
    cut_off = record("d.mcap", steps=1, finish=False)
    assert find_episodes(tmp_path) == sorted(finished)
    assert find_episodes(tmp_path, partial=True) == [cut_off]
    with pytest.raises(TheiaError, match="no folder"):
        find_episodes(tmp_path / "nowhere")


def test_metadata_is_json_in_the_file(record):
    from mcap.reader import make_reader

    with record().open("rb") as stream:
        kept = [record.metadata for record in make_reader(stream).iter_metadata()]
    assert json.loads(kept[-1]["json"])["stages"] == {"open": True}
