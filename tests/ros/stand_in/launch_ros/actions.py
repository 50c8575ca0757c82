class Node:
    def __init__(
        self,
        *,
        executable,
        package=None,
        name=None,
        parameters=None,
        remappings=None,
        condition=None,
        output="log",
        emulate_tty=False,
        on_exit=None,
    ):
        self.node_package, self.node_executable = package, executable
