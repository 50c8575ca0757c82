"""Bring-ups described once, as plain data, and two front ends that start them: ros2 launch, `theia up`."""

from theia.bringup.catalogue import BRINGUPS, get_bringup
from theia.bringup.description import Argument, Bringup, NodeEntry, Role, Unless, Use, When

__all__ = ["BRINGUPS", "Argument", "Bringup", "NodeEntry", "Role", "Unless", "Use", "When", "get_bringup"]
