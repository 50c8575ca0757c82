import json

import cv2
import numpy as np
import pytest

from theia_core.cli import main


def test_list_prints_a_line_for_each_episode_and_names_the_unreadable(record, tmp_path, capsys):
    record("door_000000.mcap", operator="kim")
    damaged = record("door_000001.mcap")
    damaged.write_bytes(damaged.read_bytes()[:1500])
    assert main(["episodes", "list", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "door_000000.mcap" in out
    assert "kim" in out
    assert "unreadable: episode" in out
    assert "2 episodes, 1 successful, 1 unreadable" in out


def test_list_gives_the_metadata_as_json(record, tmp_path, capsys):
    record(seed=7)
    assert main(["episodes", "list", "--json", str(tmp_path)]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert (row["task"], row["seed"], row["success"]) == ("door", 7, True)
    assert row["duration_s"] == pytest.approx(4.0)


def test_an_empty_folder_says_how_to_fill_it(tmp_path, capsys):
    assert main(["episodes", "list", str(tmp_path)]) == 2
    assert "theia collect door" in capsys.readouterr().err


def test_show_summarises_an_episode_and_draws_a_filmstrip(record, tmp_path, capsys):
    strip = tmp_path / "strip.png"
    assert main(["episodes", "show", str(record()), "--out", str(strip)]) == 0
    out = capsys.readouterr().out
    assert "/camera/image_raw/compressed       20 messages     4.8 Hz" in out
    assert "event at 4.00 s: stage open" in out
    picture = cv2.imread(str(strip))
    assert picture.shape == (2 * 240, 4 * 320, 3)
    # the frames brighten with time
    means = [
        picture[row * 240 : row * 240 + 200, col * 320 : col * 320 + 320].mean()
        for row in (0, 1)
        for col in range(4)
    ]
    assert means == sorted(means)
    assert means[-1] - means[0] > 80


def test_show_reads_a_cut_off_episode_only_when_asked(record, tmp_path, capsys):
    path = record()
    path.write_bytes(path.read_bytes()[:-40])
    strip = tmp_path / "strip.png"
    assert main(["episodes", "show", str(path)]) == 2
    assert "it is truncated" in capsys.readouterr().err
    assert main(["episodes", "show", "--partial", str(path), "--out", str(strip)]) == 0
    assert "(it is truncated)" in capsys.readouterr().out


def test_a_good_episode_passes_the_check_and_the_coverage_is_shown(record, capsys):
    assert main(["episodes", "check", str(record())]) == 0
    out = capsys.readouterr().out
    assert "1 episodes: 1 without a remark, 0 not fit to learn from" in out
    assert "coverage of base_height_m from 0.39 to 0.47, in 6 bins: 0 0 0 1 0 0" in out


def test_coverage_counts_the_named_places_of_recorded_trials(record, capsys):
    """A trial of the protocol is recorded with the name of its place, a demonstration with the place."""
    record("a.mcap", task="pick_place", randomisation='{"cup_place": "back", "handle": "left"}')
    path = record("b.mcap", task="pick_place", randomisation='{"cup_place": [-0.05, 0.0], "handle": "left"}')
    assert main(["episodes", "check", str(path.parent)]) == 0
    out = capsys.readouterr().out
    assert "coverage of cup_place along x from -0.058 to 0.058, in 6 bins: 1 0 0 0 0 1" in out
    assert "coverage of handle: left 2, right 0" in out


def test_a_recorded_trial_is_not_to_be_judged_on(record, capsys):
    assert main(["episodes", "check", str(record(seed=11_000_000))]) == 0
    assert "warning: seed 11000000 is a trial's" in capsys.readouterr().out


def _nan(step, action):
    return action * np.nan if step == 3 else action


@pytest.mark.parametrize(
    ("flaw", "remark"),
    [
        (
            {"image": lambda step, rgb: np.full_like(rgb, 90) if 5 < step < 12 else rgb},
            "stood still in 5 steps",
        ),
        ({"action": _nan}, "not a finite number"),
        ({"action": lambda step, action: action * [0, 0, 0, 0, 0, 0, 1]}, "no action moves the arm"),
    ],
)
def test_what_makes_an_episode_unfit_is_said_and_the_exit_code_is_1(record, capsys, flaw, remark):
    assert main(["episodes", "check", str(record(**flaw))]) == 1
    out = capsys.readouterr().out
    assert "error: " in out
    assert remark in out


@pytest.mark.parametrize(
    ("flaw", "remark"),
    [
        ({"image": lambda step, rgb: rgb * 0 if step == 4 else rgb}, "1 pictures are black"),
        ({"action": lambda step, action: action * 8}, "a step of 0.080 m"),
        ({"steps": 5}, "only 5 control steps"),
    ],
)
def test_what_is_only_odd_is_a_warning(record, capsys, flaw, remark):
    assert main(["episodes", "check", str(record(**flaw))]) == 0
    assert f"warning: {remark}" in capsys.readouterr().out


def test_a_damaged_episode_fails_the_check_and_the_others_are_still_checked(record, tmp_path, capsys):
    good, bad = record("a.mcap"), record("b.mcap")
    bad.write_bytes(bad.read_bytes()[:2000])
    assert main(["episodes", "check", "--json", str(tmp_path)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["episodes"], report["unfit"]) == (2, 1)
    assert report["findings"][str(good)] == []
    assert report["findings"][str(bad)][0]["level"] == "error"


def test_deleted_episodes_are_out_of_sight_and_come_back_in_the_order_of_deletion(record, tmp_path, capsys):
    first, second = record("a.mcap"), record("b.mcap")
    content = first.read_bytes()
    assert main(["episodes", "delete", str(first)]) == 0
    assert main(["episodes", "delete", str(second)]) == 0
    assert main(["episodes", "list", str(tmp_path)]) == 2
    assert main(["episodes", "undo", str(tmp_path)]) == 0
    assert (first.exists(), second.exists()) == (False, True)
    assert main(["episodes", "undo", str(tmp_path)]) == 0
    assert first.read_bytes() == content
    capsys.readouterr()
    assert main(["episodes", "undo", str(tmp_path)]) == 2
    assert "nothing to bring back" in capsys.readouterr().err


def test_delete_moves_nothing_if_one_name_is_wrong_and_undo_overwrites_nothing(record, tmp_path, capsys):
    path = record("a.mcap")
    assert main(["episodes", "delete", str(path), str(tmp_path / "typo.mcap")]) == 2
    assert "nothing was deleted" in capsys.readouterr().err
    assert path.exists()
    assert main(["episodes", "delete", str(path)]) == 0
    record("a.mcap")
    assert main(["episodes", "undo", str(tmp_path)]) == 2
    assert "exists again" in capsys.readouterr().err
