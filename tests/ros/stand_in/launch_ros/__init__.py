"""A stand-in for the parts of ros2/launch_ros that our launch files use."""
