"""ROS messages to the arrays and dataclasses of theia_core and back, without copying where possible."""
