"""`theia up`: brings up a whole robot side, where ros2 launch is not installed."""

import argparse
import sys
from importlib.util import find_spec

from theia.bringup import BRINGUPS, Bringup, get_bringup
from theia.bringup.command import command_line
from theia.bringup.processes import Member, ProcessGroup
from theia.bringup.resolve import parse_arguments, resolve
from theia_core.cli import Command
from theia_core.errors import MissingExtraError

EXAMPLES = """examples:
  theia up widowx_door robot:=sim trials:=5 seed:=1000   the simulated arm opens the fridge, five times
  theia up widowx_door trials:=0                         bring everything up and wait; arm it yourself
  theia up widowx_door robot:=real trials:=0             expects xs_sdk and a camera driver to run
  theia up widowx_pick_place policy:=runs/pick_place     the other tasks: widowx_pick_place, widowx_microwave
  theia up widowx_door --show-args                       what can be chosen

The same bring-up for ros2: ros2 launch theia widowx_door.launch.py robot:=sim trials:=5
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    parser.add_argument("bringup", metavar="BRINGUP", help=f"one of: {', '.join(BRINGUPS)}")
    parser.add_argument("arguments", nargs="*", metavar="NAME:=VALUE", help="arguments of the bring-up")
    parser.add_argument(
        "-s", "--show-args", action="store_true", help="list the bring-up's arguments and stop"
    )


def run(arguments: argparse.Namespace) -> int:
    """Start all processes and return the exit code of the whole."""
    bringup = get_bringup(arguments.bringup)
    if arguments.show_args:
        print(show_arguments(bringup))
        return 0
    nodes = resolve(bringup, parse_arguments(bringup, arguments.arguments))
    for package in ("rclpy", "theia_msgs", "interbotix_xs_msgs"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "ros")
    members = [Member(node.name, command_line(node), node.role) for node in nodes]
    return ProcessGroup(members, colour=sys.stdout.isatty()).run()


def show_arguments(bringup: Bringup) -> str:
    """The arguments as `ros2 launch --show-args` prints them."""
    lines = ["Arguments (pass arguments as '<name>:=<value>'):"]
    for argument in bringup.arguments:
        choices = f" Valid choices are: {list(argument.choices)}" if argument.choices else ""
        lines += ["", f"    '{argument.name}':", f"        {argument.description}.{choices}"]
        lines += [f"        (default: '{argument.default}')"]
    return "\n".join(lines)


COMMAND = Command(
    "bring up robot or simulator, encoder, policy, guard and evaluation over ROS 2", configure, run
)
