"""Shipped controls, controls of one's own, and the keys of a terminal."""

import pytest

from theia_core.errors import TheiaError
from theia_core.teleop.controls import MOTIONS, ButtonPresses, load_controls
from theia_core.teleop.keys import AXES, BUTTONS, KeyboardState

GOOD = "speed_m_s: 0.1\nspeed_rad_s: 0.5\naxes: {x: 1}\nbuttons: {clutch: 4, keep: 2}\n"


@pytest.mark.parametrize("name", ["gamepad", "spacemouse", "keyboard"])
def test_shipped_controls_move_every_way(name):
    controls = load_controls(name)
    assert set(controls.axes) == set(MOTIONS)
    assert len({axis.index for axis in controls.axes.values()}) == len(MOTIONS)
    assert len(set(controls.buttons.values())) == len(controls.buttons)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("axes: {x: 1}", "must have speed_m_s"),
        (GOOD.replace("clutch: 4, ", ""), "name no clutch"),
        (GOOD.replace("0.1", "0.9"), "the guard's largest steps"),
        (GOOD.replace("keep", "jump"), "'jump' is unknown"),
        (GOOD.replace("x: 1", "x: up"), "compare them with the shipped gamepad.yaml"),
        (": :", "not valid YAML"),
    ],
)
def test_controls_that_make_no_sense_are_refused_in_one_sentence(tmp_path, text, complaint):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(TheiaError, match=complaint):
        load_controls(str(path))
    with pytest.raises(TheiaError, match="cannot read controls piano"):
        load_controls("piano")


def test_a_press_is_an_edge_and_what_is_down_at_the_start_is_none(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    presses = ButtonPresses(load_controls(str(path)))
    down, up = [0, 0, 1, 0, 0], [0] * 5
    assert [presses.pressed(b) for b in (down, up, down, down, up, [])] == [[], [], ["keep"], [], [], []]


def test_keys_are_axes_and_buttons_for_as_long_as_they_repeat():
    controls, keys = load_controls("keyboard"), KeyboardState(held_s=0.25, clutch_s=1.5)
    keys.on_key("w", 0.0)
    axes, buttons = keys.joy(0.1)
    assert controls.deflection("x", axes) == 1.0
    assert not controls.is_down("clutch", buttons), "only the space bar takes the clutch"
    keys.on_key(" ", 1.0)
    keys.on_key("S", 1.4)
    axes, buttons = keys.joy(1.5)
    assert controls.deflection("x", axes) == -1.0
    assert controls.is_down("clutch", buttons)
    axes, buttons = keys.joy(2.0)
    assert controls.deflection("x", axes) == 0.0
    assert controls.is_down("clutch", buttons)
    assert not controls.is_down("clutch", keys.joy(3.0)[1])
    keys.on_key(" ", 4.0)
    keys.on_key("q", 4.1)  # any other key lets go at once
    assert not controls.is_down("clutch", keys.joy(4.2)[1])
    keys.on_key("2", 5.0)
    assert controls.is_down("keep", keys.joy(5.1)[1])


def test_every_key_means_something_in_the_shipped_controls():
    controls = load_controls("keyboard")
    assert {axis for axis, _ in AXES.values()} == {axis.index for axis in controls.axes.values()}
    assert {*BUTTONS.values(), 0} == set(controls.buttons.values())
