import os
import subprocess
import sys
import types
from importlib.metadata import EntryPoint

import pytest

from theia_core import cli
from theia_core.cli import Command, main
from theia_core.errors import TheiaError


@pytest.fixture
def register(monkeypatch):
    """Registers commands whose modules are made up for the test."""

    def register(**commands):
        points = {}
        for name, command in commands.items():
            module = types.ModuleType(f"made_up_{name}")
            module.COMMAND = command
            monkeypatch.setitem(sys.modules, module.__name__, module)
            points[name] = EntryPoint(name, f"{module.__name__}:COMMAND", cli.GROUP)
        monkeypatch.setattr(cli, "registered_commands", lambda: points)
        return points

    return register


def _command(run):
    return Command("do a thing", lambda parser: parser.add_argument("--n", type=int, default=1), run)


def test_the_arguments_reach_the_command_and_its_exit_code_comes_back(register):
    register(thing=_command(lambda arguments: arguments.n))
    assert main(["thing", "--n", "7"]) == 7


def test_a_theia_error_is_one_line_on_stderr_and_exit_code_2(register, capsys):
    def run(_):
        raise TheiaError("the value is 3; choose 4")

    register(thing=_command(run))
    assert main(["thing"]) == 2
    captured = capsys.readouterr()
    assert captured.err == "theia: error: the value is 3; choose 4\n"
    assert captured.out == ""


def test_ctrl_c_exits_with_130(register, capsys):
    def run(_):
        raise KeyboardInterrupt

    register(thing=_command(run))
    assert main(["thing"]) == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("package", "extra"), [("torch", "train"), ("av.container", "sim"), ("rclpy", "ros")]
)
def test_a_missing_optional_package_names_the_extra(register, capsys, package, extra):
    def run(_):
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)

    register(thing=_command(run))
    assert main(["thing"]) == 2
    assert f"theia-robotics[{extra}]" in capsys.readouterr().err


def test_another_missing_module_is_a_bug_and_is_not_hidden(register):
    def run(_):
        raise ModuleNotFoundError("No module named 'made_up'", name="made_up")

    register(thing=_command(run))
    with pytest.raises(ModuleNotFoundError):
        main(["thing"])


def test_help_lists_every_command_even_when_one_has_no_module_and_one_is_broken(
    register, monkeypatch, capsys
):
    points = register(thing=_command(lambda _: 0))
    points["gone"] = EntryPoint("gone", "theia_core.commands.not_there:COMMAND", cli.GROUP)
    points["broken"] = EntryPoint("broken", "made_up_thing:NO_SUCH_NAME", cli.GROUP)
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert "thing      do a thing" in out
    assert "gone       (not available: this installation has no module theia_core.commands.not_there" in out
    assert "broken     (broken: AttributeError" in out
    assert main(["gone"]) == 2


def test_an_unknown_command_names_the_nearest_one(register, capsys):
    register(collect=_command(lambda _: 0))
    assert main(["colect"]) == 2
    assert "no command 'colect'; did you mean 'collect'?" in capsys.readouterr().err


def test_running_a_command_imports_no_other_command(register):
    points = register(thing=_command(lambda _: 5))
    points["explosive"] = EntryPoint("explosive", "theia_core.commands.not_there:COMMAND", cli.GROUP)
    assert main(["thing"]) == 5


def test_the_installed_program_lists_the_registered_commands():
    done = subprocess.run(
        [sys.executable, "-m", "theia_core.cli", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    for name in ("doctor", "episodes", "report"):
        assert f"\n  {name}" in done.stdout


def test_a_reader_that_goes_away_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "theia_core.cli", "--help"], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
