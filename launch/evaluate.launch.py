"""Trials of one to three policies on the same scenes, taking turns; on the robot with an operator.

    ros2 launch theia evaluate.launch.py task:=door policies:=a,b robot:=sim
    ros2 launch theia evaluate.launch.py task:=door policies:=a,b robot:=real      # and `theia operate`

What is started is described in theia.bringup.evaluation, for
this file and for `theia up evaluate` alike.
"""

from launch import LaunchDescription
from theia.bringup import get_bringup
from theia.bringup.ros_launch import launch_description


def generate_launch_description() -> LaunchDescription:
    """Called by ros2 launch."""
    return launch_description(get_bringup("evaluate"))
