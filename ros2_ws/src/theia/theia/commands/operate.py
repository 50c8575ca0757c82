"""`theia operate`: the operator's side of an evaluation on the robot, in a terminal."""

import argparse

from theia.operator.terminal import OperatorTerminal
from theia_core.cli import Command

EXAMPLES = """examples:
  ros2 launch theia evaluate.launch.py task:=door policies:=a,b robot:=real   in one terminal, and here:
  theia operate                                                               or open its web page
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "--url",
        default="http://127.0.0.1:8642",
        help="where the evaluation listens (http://127.0.0.1:8642)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Show questions and send answers until the evaluation ends."""
    return OperatorTerminal(arguments.url).run()


COMMAND = Command("answer the questions of an evaluation on the robot, in a terminal", configure, run)
