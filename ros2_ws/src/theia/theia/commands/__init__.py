"""Subcommands of `theia` that need ROS 2."""
