import subprocess
import sys

import pytest

from theia.commands.up import COMMAND, show_arguments
from theia_core.cli import main


def test_show_args_lists_every_argument_with_choices_and_default(capsys):
    assert main(["up", "widowx_door", "--show-args"]) == 0
    text = capsys.readouterr().out
    for words in ("'robot':", "Valid choices are: ['sim', 'real']", "(default: '1000')", "'camera_topic':"):
        assert words in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing"], "no bring-up 'nothing'; there is widowx_door, widowx_pick_place, widowx_microwave"),
        (["widowx_door", "robot:=spot"], "argument robot is 'spot'"),
        (["widowx_door", "--", "polcy:=x"], "has no argument 'polcy'"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(arguments, sentence, capsys):
    assert main(["up", *arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_help_shows_examples():
    command = [sys.executable, "-m", "theia_core.cli", "up", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "theia up widowx_door robot:=sim" in text
    assert COMMAND.help.lower() in text.lower()


def test_arguments_are_shown_as_ros2_launch_shows_them():
    from theia.bringup import get_bringup

    assert show_arguments(get_bringup("widowx_door")).startswith(
        "Arguments (pass arguments as '<name>:=<value>'):"
    )
