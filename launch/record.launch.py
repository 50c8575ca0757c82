"""Demonstrations by teleoperation: every take becomes an episode.

    ros2 launch theia record.launch.py task:=door robot:=sim teleop:=joy

What is started is described in theia.bringup.record, for
this file and for `theia up record` alike.
"""

from launch import LaunchDescription
from theia.bringup import get_bringup
from theia.bringup.ros_launch import launch_description


def generate_launch_description() -> LaunchDescription:
    """Called by ros2 launch."""
    return launch_description(get_bringup("record"))
