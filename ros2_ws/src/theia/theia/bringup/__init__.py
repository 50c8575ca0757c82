"""Bring-ups described once, as plain data, and the two front ends that start them: ros2 launch and `theia up`."""

from theia.bringup.catalogue import BRINGUPS, get_bringup
from theia.bringup.description import Argument, Bringup, NodeEntry, Role, Unless, Use, When

__all__ = ["BRINGUPS", "Argument", "Bringup", "NodeEntry", "Role", "Unless", "Use", "When", "get_bringup"]
