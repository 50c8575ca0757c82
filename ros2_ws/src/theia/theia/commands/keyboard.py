"""`theia keyboard`: the keyboard of this terminal as the controls of teleop and recorder."""

import argparse

from theia_core.cli import Command

EXAMPLES = """examples:
  theia up record task:=door robot:=sim teleop:=joy controls:=keyboard     in one terminal
  theia keyboard                                                           in another; keys are listed there

It publishes sensor_msgs/Joy on /joy; with ros2: ros2 run theia keyboard
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES


def run(arguments: argparse.Namespace) -> int:
    """Read keys until Ctrl-C."""
    import sys

    from theia.nodes.keyboard import main

    sys.argv = ["keyboard"]
    return main()


COMMAND = Command("drive the arm from this terminal's keyboard, beside a `record` bring-up", configure, run)
