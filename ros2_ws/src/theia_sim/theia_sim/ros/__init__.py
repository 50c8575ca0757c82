"""The simulated robots as ROS nodes, behind the topics and services of the real ones.

The only part of theia_sim that knows ROS; it is built from `theia.nodekit` and `theia.messages` like the
robot's own nodes.
"""
