"""The WidowX 250s moves a cup from a toy sink to the drying rack on its left.

    ros2 launch theia widowx_pick_place.launch.py robot:=sim trials:=5

What is started is described in theia.bringup.widowx, for
this file and for `theia up widowx_pick_place` alike.
"""

from launch import LaunchDescription
from theia.bringup import get_bringup
from theia.bringup.ros_launch import launch_description


def generate_launch_description() -> LaunchDescription:
    """Called by ros2 launch."""
    return launch_description(get_bringup("widowx_pick_place"))
