"""Teleoperation without ROS: what an operator's controls mean, and the actions that they ask for."""
