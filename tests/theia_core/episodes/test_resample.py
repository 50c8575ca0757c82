import numpy as np
import pytest

from theia_core.actions.profile import load_profile
from theia_core.alignment import nearest_index
from theia_core.episodes import EpisodeRecorder, codec, load_episode, resample
from theia_core.episodes.topics import OBSERVED_JOINTS
from theia_core.errors import TheiaError

from .conftest import NAMES, action, picture, positions

SEEN = [NAMES.index(name) for name in OBSERVED_JOINTS]


def _live(tmp_path, image_hz=10.0, image_phase_s=0.037, until_s=4.0, action_times_s=None, skip_images=()):
    """An episode as on the robot: camera, joint states and guard each on their own clock."""
    recorder = EpisodeRecorder(tmp_path / "live.mcap", {})
    images = [image_phase_s + k / image_hz for k in range(int(until_s * image_hz)) if k not in skip_images]
    for k, stamp_s in enumerate(images):
        recorder.image(stamp_s, picture(k))
    for k in range(int(until_s * 100)):
        recorder.joints(0.0041 + 0.01 * k, NAMES, positions(0.0041 + 0.01 * k))
    for k, stamp_s in enumerate(0.5 + 0.2 * np.arange(15) if action_times_s is None else action_times_s):
        recorder.action(stamp_s, action(k), "teleop")
    return load_episode(recorder.close()), np.array(images)


def test_streams_stamped_at_the_step_come_back_step_by_step(record):
    steps = resample(load_episode(record(steps=12)))
    assert len(steps) == len(steps.images) == 12
    np.testing.assert_allclose(steps.stamps_s, 0.2 * np.arange(12), atol=1e-9)
    np.testing.assert_array_equal(steps.actions, [action(step) for step in range(12)])
    np.testing.assert_allclose(steps.joints, [positions(0.2 * step)[SEEN] for step in range(12)], atol=1e-6)
    assert steps.joints.dtype == steps.actions.dtype == np.float32
    assert not steps.held.any()
    for step, image in enumerate(steps.images):
        assert np.abs(image.astype(int) - picture(step)).mean() < 2.0


def test_streams_on_their_own_clocks_meet_at_the_action(tmp_path):
    episode, images_s = _live(tmp_path)
    steps = resample(episode)
    np.testing.assert_allclose(steps.stamps_s, 0.5 + 0.2 * np.arange(15), atol=1e-9)
    np.testing.assert_array_equal(steps.actions, [action(step) for step in range(15)])
    assert np.abs(steps.image_stamps_s - steps.stamps_s).max() <= 0.05 + 1e-9
    for stamp_s, image, joints in zip(steps.image_stamps_s, steps.images, steps.joints, strict=True):
        index = int(np.argmin(np.abs(images_s - stamp_s)))
        assert round(float(image[:, :, 0].mean()) / 5) == index
        # the joints are those of the picture, to the joint states' own 10 ms
        np.testing.assert_allclose(joints, positions(stamp_s)[SEEN], atol=0.006)


def test_jitter_of_the_guards_clock_neither_drops_nor_doubles_an_action(tmp_path):
    jitter = np.random.default_rng(0).uniform(-0.03, 0.03, 15)
    jitter[0] = 0.0
    episode, _ = _live(tmp_path, action_times_s=0.5 + 0.2 * np.arange(15) + jitter)
    np.testing.assert_array_equal(resample(episode).actions, [action(step) for step in range(15)])


def test_a_hold_is_no_motion_with_the_gripper_as_it_was(tmp_path):
    times_s = 0.5 + 0.2 * np.array([0, 1, 2, 3, 7, 8])  # held for three steps after the fourth action
    episode, _ = _live(tmp_path, action_times_s=times_s)
    steps = resample(episode)
    np.testing.assert_array_equal(steps.held, [False] * 4 + [True] * 3 + [False] * 2)
    np.testing.assert_array_equal(steps.actions[4:7], np.tile([0, 0, 0, 0, 0, 0, action(3)[6]], (3, 1)))


def test_steps_without_a_camera_at_the_ends_are_left_out(tmp_path):
    episode, _ = _live(tmp_path, until_s=2.0)  # the camera ends at 1.94 s, the actions go on to 3.3 s
    steps = resample(episode)
    assert steps.stamps_s[-1] == pytest.approx(1.9)
    assert len(steps) == 8


def test_steps_stay_evenly_spaced_when_the_camera_pauses(tmp_path):
    episode, _ = _live(tmp_path, skip_images=range(12, 19))
    steps = resample(episode)
    np.testing.assert_allclose(np.diff(steps.stamps_s), 0.2, atol=1e-9)
    assert (np.diff(steps.image_stamps_s) == 0).any()


def test_images_are_decoded_only_when_looked_at_and_slices_stay_lazy(record, monkeypatch):
    decoded = []
    real = codec.decode_compressed
    monkeypatch.setattr(codec, "decode_compressed", lambda data: decoded.append(1) or real(data))
    images = resample(load_episode(record())).images
    part = images[2:5]
    assert (len(part), decoded) == (3, [])
    assert part[0].shape == (48, 64, 3)
    assert len(decoded) == 1


def test_missing_streams_and_joints_are_named(tmp_path, record):
    recorder = EpisodeRecorder(tmp_path / "blind.mcap", {})
    recorder.action(0.0, action(0), "expert")
    recorder.joints(0.0, NAMES, positions(0.0))
    with pytest.raises(TheiaError, match=r"blind.mcap has no /camera/image_raw"):
        resample(load_episode(recorder.close()))
    with pytest.raises(TheiaError, match="has no joint tail; it has waist"):
        resample(load_episode(record()), joint_names=["waist", "tail"])


def test_actions_that_never_meet_an_image_are_an_error(tmp_path):
    episode, _ = _live(tmp_path, until_s=1.0, action_times_s=[8.0, 8.2])
    with pytest.raises(TheiaError, match="no action was executed while the camera gave images"):
        resample(episode)


def test_the_nearest_stamp_is_found_and_a_tie_goes_to_the_earlier():
    stamps = [0.0, 1.0, 2.0]
    assert [nearest_index(stamps, t) for t in (-5.0, 0.4, 0.5, 0.6, 1.0, 9.0)] == [0, 0, 0, 1, 1, 2]


def test_the_observed_joints_are_those_of_the_robots_profile():
    profile = load_profile("wx250s")
    assert (*profile.joint_names, profile.finger_joint) == OBSERVED_JOINTS
