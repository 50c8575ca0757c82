"""A stand-in for the parts of ros2/launch that our launch files use, with the real call signatures.

`launch` and `launch_ros` are not on PyPI. Where they are importable the tests use them instead of this.
"""


class LaunchContext:
    def __init__(self):
        self.launch_configurations = {}
        self.is_shutdown = False


class LaunchDescription:
    def __init__(self, initial_entities=None):
        self.entities = list(initial_entities or [])
