"""Trimming, relabelling, merging and splitting: nothing that was recorded is lost."""

import json

import numpy as np
import pytest

from theia_core.cli import main
from theia_core.episodes import load_episode, resample

IDLE, MOVING = np.zeros(7, np.float32), np.array([0.01, 0, 0, 0, 0, 0, 0], np.float32)


def theia(*arguments):
    return main(["episodes", *map(str, arguments)])


def test_a_trimmed_episode_holds_the_part_byte_for_byte_and_undo_brings_the_original_back(record, tmp_path):
    path = record(operator="kim")
    before, whole = path.read_bytes(), resample(load_episode(path))
    assert theia("trim", path, "--from", "1.0", "--to", "3.0") == 0
    trimmed = load_episode(path)
    steps = resample(trimmed)
    np.testing.assert_array_equal(steps.actions, whole.actions[5:16])
    np.testing.assert_array_equal(steps.images[0], whole.images[5])
    assert (trimmed.metadata["operator"], trimmed.metadata["id"]) == ("kim", path.stem)
    (edit,) = trimmed.metadata["edits"]
    assert edit["trim_s"] == [1.0, 3.0]
    assert theia("trim", path, "--to", "1.5") == 0
    assert len(load_episode(path).metadata["edits"]) == 2
    assert theia("undo", tmp_path) == 0
    assert len(resample(load_episode(path))) == 11
    assert theia("undo", tmp_path) == 0
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".mcap"] == [path.name]


def test_idle_ends_are_cut_off(record, capsys):
    path = record(steps=40, action=lambda step, action: MOVING if 15 <= step < 30 else IDLE)
    assert theia("check", path) == 0
    assert "it begins with 3.0 s in which nothing moves" in capsys.readouterr().out
    assert theia("trim", path, "--idle") == 0
    moves = np.abs(resample(load_episode(path)).actions[:, 0]) > 0
    assert moves.sum() == 15
    assert moves[:3].tolist() == [False, False, True]
    assert len(moves) <= 20


def test_labels_are_replaced_and_the_messages_stay(record, tmp_path):
    path = record(stages={"open": True})
    before = [tuple(record) for record in load_episode(path).recorded()]
    arguments = ["--success", "no", "--stage", "open=no", "--note", "slipped", "--set", "seed=7"]
    assert theia("relabel", path, *arguments, "--set", "randomisation=") == 0
    episode = load_episode(path)
    assert [tuple(record) for record in episode.recorded()] == before
    labels = episode.metadata
    assert (labels["success"], labels["stages"], labels["note"], labels["seed"]) == (
        False,
        {"open": False},
        "slipped",
        7,
    )
    assert "randomisation" not in labels
    assert theia("relabel", path, "--success", "yes", "--out", tmp_path / "other.mcap") == 0
    assert load_episode(tmp_path / "other.mcap").metadata["success"] is True
    assert load_episode(path).metadata["success"] is False


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["trim", "--from", "90"], "leaves nothing of use"),
        (["trim"], "say what to keep"),
        (["relabel"], "say what to change"),
        (["relabel", "--set", "complete=false"], "complete is no label"),
        (["relabel", "--stage", "open"], "give NAME=yes"),
    ],
)
def test_what_cannot_be_done_is_said_and_the_episode_stays(record, capsys, arguments, complaint):
    path = record()
    before = path.read_bytes()
    assert theia(arguments[0], path, *arguments[1:]) == 2
    assert complaint in capsys.readouterr().err
    assert path.read_bytes() == before


def test_merging_takes_each_content_once_and_keeps_every_name(record, tmp_path, capsys):
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir(), two.mkdir()
    record("one/a.mcap", operator="kim")
    (two / "copy.mcap").write_bytes((one / "a.mcap").read_bytes())
    record("two/a.mcap", operator="lee")
    assert theia("merge", one, two, "--out", tmp_path / "all") == 0
    assert "2 episodes" in capsys.readouterr().out
    made = sorted(path.name for path in (tmp_path / "all").glob("*.mcap"))
    assert made == ["a.mcap", "two_a.mcap"]
    sources = json.loads((tmp_path / "all" / "sources.json").read_text())
    assert sources["two_a.mcap"]["from"] == str(two / "a.mcap")
    assert theia("merge", one, "--out", tmp_path / "all") == 2
    assert "is not empty" in capsys.readouterr().err


def test_a_split_puts_each_episode_in_one_part_and_repeats_itself(record, tmp_path):
    folder = tmp_path / "all"
    folder.mkdir()
    for index in range(10):
        record(f"all/{index}.mcap", seed=index)
    parts = []
    for out in ("s1", "s2"):
        assert theia("split", folder, "--validation", "0.3", "--out", tmp_path / out) == 0
        parts.append(
            [{p.name for p in (tmp_path / out / part).glob("*.mcap")} for part in ("train", "validation")]
        )
    assert parts[0] == parts[1]
    training, validation = parts[0]
    assert (len(training), len(validation)) == (7, 3)
    assert not training & validation
    assert theia("split", folder, "--validation", "0.3", "--seed", "1", "--out", tmp_path / "s3") == 0
    assert {p.name for p in (tmp_path / "s3/validation").glob("*.mcap")} != validation


def test_the_page_shows_film_plots_remarks_and_labels(record, tmp_path):
    pytest.importorskip("av")
    path = record(note="<b>careful</b>", action=lambda step, action: MOVING if step > 12 else IDLE)
    page = tmp_path / "page.html"
    assert theia("show", path, "--out", page) == 0
    html = page.read_text()
    assert html.count("<svg") >= 5
    assert 'src="data:video/mp4;base64,' in html
    assert "it begins with 2.6 s in which nothing moves" in html
    assert "&lt;b&gt;careful&lt;/b&gt;" in html and "<b>careful" not in html
    assert theia("show", path, "--out", tmp_path / "page.pdf") == 2
