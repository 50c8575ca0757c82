"""How a part of `theia episodes` declares its actions."""

import argparse
from collections.abc import Callable

# Name, work and one line of help -> the parser of the action's arguments.
AddAction = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]
