import sys

import numpy as np
import pytest

from theia_core.errors import MissingExtraError, TheiaError
from theia_core.video import VideoWriter

av = pytest.importorskip("av")


def _frame(step, height=48, width=64):
    frame = np.full((height, width, 3), 40, np.uint8)
    frame[:, : 8 * (step + 1), 0] = 220
    return frame


def test_frames_come_back_in_colour_in_a_form_that_browsers_play(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", fps=5) as video:
        for step in range(6):
            video.write(_frame(step))
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == 5
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(frames) == 6
    for step, frame in enumerate(frames):
        assert np.abs(frame.astype(int) - _frame(step)).mean() < 8
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # the index in front: playback starts at once
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_odd_sizes_lose_their_last_row_and_column(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", fps=5) as video:
        video.write(_frame(0, 49, 65))
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (64, 48)


def test_frames_that_do_not_fit_are_refused(tmp_path):
    video = VideoWriter(tmp_path / "a.mp4", fps=5)
    with pytest.raises(TheiaError, match=r"not \(48, 64\) uint8"):
        video.write(_frame(0)[:, :, 0])
    video.write(_frame(0))
    with pytest.raises(TheiaError, match=r"has frames of \(48, 64\), not \(24, 64\)"):
        video.write(_frame(0, 24))
    assert video.close() == video.close() == tmp_path / "a.mp4"
    with pytest.raises(TheiaError, match="is closed"):
        video.write(_frame(0))


def test_a_video_without_frames_leaves_no_file(tmp_path):
    with pytest.raises(TheiaError, match="has no frames"):
        VideoWriter(tmp_path / "a.mp4", fps=5).close()
    with pytest.raises(RuntimeError), VideoWriter(tmp_path / "b.mp4", fps=5):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_name_a_missing_folder_and_a_missing_package_are_named(tmp_path, monkeypatch):
    with pytest.raises(TheiaError, match=r"must end in \.mp4"):
        VideoWriter(tmp_path / "a.avi", fps=5)
    with pytest.raises(TheiaError, match="does not exist"):
        VideoWriter(tmp_path / "nowhere" / "a.mp4", fps=5)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"theia-robotics\[sim\]"):
        VideoWriter(tmp_path / "a.mp4", fps=5)
