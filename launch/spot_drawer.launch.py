"""Spot with its arm opens the top drawer of a cabinet.

    ros2 launch theia spot_drawer.launch.py spot:=sim episodes:=50
    ros2 launch theia spot_drawer.launch.py spot:=sim mode:=evaluate policy:=runs/drawer trials:=5
    ros2 launch theia spot_drawer.launch.py spot:=192.168.80.3 mode:=wait

What is started is described in theia.bringup.spot, for
this file and for `theia up spot_drawer` alike.
"""

from launch import LaunchDescription
from theia.bringup import get_bringup
from theia.bringup.ros_launch import launch_description


def generate_launch_description() -> LaunchDescription:
    """Called by ros2 launch."""
    return launch_description(get_bringup("spot_drawer"))
