"""Conversions between ROS messages and the arrays and dataclasses of theia_core, without copying where possible."""
