"""`theia episodes`: look at recorded episodes, check them, change them without loss, exchange them."""

import argparse
from collections.abc import Callable

from theia_core.cli import Command

EXAMPLES = """examples:
  theia episodes list data/door                      one line an episode
  theia episodes show data/door/door_000003.mcap     a page with video, plots and the check's remarks
  theia episodes check data/door                     is it fit to learn from? exit code 1 if one is not
  theia episodes trim data/door/door_000003.mcap --idle                cut off the ends in which nothing moves
  theia episodes relabel data/door/door_000003.mcap --success no --note "the cup fell"
  theia episodes delete data/door/door_000003.mcap   into data/door/.trash
  theia episodes undo data/door                      takes back what was deleted, trimmed or relabelled last
  theia episodes merge data/monday data/tuesday --out data/door
  theia episodes split data/door --validation 0.1 --out data/door_split
  theia episodes export data/door --to lerobot --out data/door_lerobot
  theia episodes import bags/rosbag2_2026_11_20 --map map.yaml --out data/imported"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from theia_core.commands.episode_tools import changing, exchanging, looking

    parser.epilog = EXAMPLES
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", title="actions")

    def action(name: str, work: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = actions.add_parser(
            name,
            help=text,
            description=text[:1].upper() + text[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(work=work)
        return sub

    for part in (looking, changing, exchanging):
        part.configure(action)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked."""
    return arguments.work(arguments)


COMMAND = Command("look at recorded episodes, check, change and exchange them", configure, run)
