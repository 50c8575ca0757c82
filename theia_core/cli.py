"""The `theia` command: one entry point whose subcommands are registered by the packages that bring them.

A subcommand is an entry point of the group `theia.commands` in pyproject.toml that names a `Command`:

    COMMAND = Command("what it does, in one line", configure, run)

Only the module of the command that was asked for is imported, so heavy imports belong inside `run`.
"""

import argparse
import difflib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points, version

from theia_core.errors import MissingExtraError, TheiaError

GROUP = "theia.commands"
EXIT_ERROR, EXIT_INTERRUPTED = 2, 130

# Optional packages and the extra of pyproject.toml that installs each.
EXTRA_OF = {
    "av": "sim",
    "bosdyn": "spot",
    "cryptography": "spot",
    "grpc": "spot",
    "h5py": "formats",
    "interbotix_xs_msgs": "ros",
    "matplotlib": "train",
    "onnx": "train",
    "onnxscript": "export",
    "pyarrow": "formats",
    "rclpy": "ros",
    "theia_msgs": "ros",
    "torch": "train",
}
_OWN_PACKAGES = ("theia", "theia_core", "theia_deploy", "theia_sim", "theia_training")

_EXAMPLES = """examples:
  theia doctor                                     what this machine can run and what is missing
  theia up widowx_door robot:=sim trials:=5        the whole robot side over ROS 2, on the simulated arm
  theia eval door --trials 50 --json out.json      the paper's protocol in simulation, without ROS
  theia episodes show data/door/door_000000.mcap   one demonstration, as numbers and as a filmstrip

`theia COMMAND --help` explains a command. THEIA_DEBUG=1 shows the traceback behind an error."""


@dataclass(frozen=True)
class Command:
    """One subcommand.

    Attributes:
        help: one line for the list of commands, lower case, without a full stop.
        configure: declares the arguments on a parser whose `prog` is set; examples go into its epilog.
        run: does the work and returns the exit code. A TheiaError becomes one line on stderr and exit code 2.
    """

    help: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run `theia` with `argv` (without the program's name) and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
        return code
    except TheiaError as error:
        _explain(error)
        return EXIT_ERROR
    except ModuleNotFoundError as error:
        known = _as_theia_error(error)
        if known is None:
            raise
        _explain(known)
        return EXIT_ERROR
    except KeyboardInterrupt:
        print("theia: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`theia episodes list | head`); exit quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0 if arguments else EXIT_ERROR
    if arguments[0] in ("-V", "--version"):
        print(f"theia {version('theia-robotics')}")
        return 0
    name = arguments[0]
    registered = registered_commands()
    if name not in registered:
        close = difflib.get_close_matches(name, registered, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(registered)}"
        raise TheiaError(f"no command {name!r}; {hint}")
    command = load_command(registered[name])
    parser = argparse.ArgumentParser(
        prog=f"theia {name}",
        description=command.help[:1].upper() + command.help[1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.configure(parser)
    return command.run(parser.parse_args(arguments[1:]))


def registered_commands() -> dict[str, EntryPoint]:
    """Entry points of the group `theia.commands` by name, sorted; nothing is imported."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def load_command(point: EntryPoint) -> Command:
    """Import a command.

    Raises:
        TheiaError: if its module is absent, or needs a package that is not installed.
    """
    try:
        return point.load()
    except ModuleNotFoundError as error:
        known = _as_theia_error(error)
        if known is None:
            raise
        raise known from error


def _as_theia_error(error: ModuleNotFoundError) -> TheiaError | None:
    """The sentence for an absent module, or None if the absence is a bug of ours."""
    name = error.name or ""
    package = name.partition(".")[0]
    if package in EXTRA_OF:
        return MissingExtraError(package, EXTRA_OF[package])
    if package in _OWN_PACKAGES:
        return TheiaError(
            f"this installation has no module {name}; install the whole repository: pip install -e ."
        )
    return None


def _explain(error: TheiaError) -> None:
    if os.environ.get("THEIA_DEBUG"):
        traceback.print_exception(error)
    print(f"theia: error: {error}", file=sys.stderr)


def _overview() -> str:
    """The list of commands; one that cannot be imported is listed with the reason."""
    lines = []
    for name, point in registered_commands().items():
        try:
            line = load_command(point).help
        except TheiaError as error:
            line = f"(not available: {error})"
        except Exception as error:  # one broken command must not hide the others
            line = f"(broken: {type(error).__name__}: {error})"
        lines.append(f"  {name:<10} {line}")
    return f"""usage: theia COMMAND [ARGUMENTS]

See, decide, move: robot learning on spatial tokens.

commands:
{chr(10).join(lines)}

{_EXAMPLES}"""


if __name__ == "__main__":
    sys.exit(main())
