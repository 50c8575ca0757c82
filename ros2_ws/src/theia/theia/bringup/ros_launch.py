"""Front end for ros2 launch: a bring-up as a LaunchDescription.

`launch` and `launch_ros` come with a ROS 2 distribution and are not on PyPI, so they are imported only when a
launch file asks for them.
"""

from typing import TYPE_CHECKING, Any

from theia.bringup.description import Argument, Bringup, HasItem, NodeEntry, Role, Use, UseItem, When

if TYPE_CHECKING:
    from launch.events.process import ProcessExited

    from launch import LaunchContext, LaunchDescription


def launch_description(bringup: Bringup) -> "LaunchDescription":
    """The bring-up for ros2 launch: declared arguments with choices, and nodes with conditions."""
    from launch.actions import DeclareLaunchArgument

    from launch import LaunchDescription

    declared = [
        DeclareLaunchArgument(
            argument.name,
            default_value=argument.default,
            description=argument.description,
            choices=list(argument.choices) or None,
        )
        for argument in bringup.arguments
    ]
    return LaunchDescription([*declared, *(_node_action(bringup, node) for node in bringup.nodes)])


def _node_action(bringup: Bringup, node: NodeEntry) -> Any:
    from launch.conditions import IfCondition
    from launch_ros.actions import Node

    conditions = [_condition(condition) for condition in node.conditions]
    return Node(
        package=node.package,
        executable=node.executable,
        name=node.name,
        parameters=[{name: _parameter(bringup, value) for name, value in node.parameters.items()}],
        remappings=[(name, _text(value)) for name, value in node.remappings.items()],
        condition=IfCondition(_all_of(conditions)) if conditions else None,
        output="screen",
        emulate_tty=True,
        on_exit=_on_exit(node),
    )


def _condition(condition: Any) -> Any:
    from launch.substitutions import (
        EqualsSubstitution,
        LaunchConfiguration,
        NotEqualsSubstitution,
        PythonExpression,
    )

    if isinstance(condition, HasItem):
        text = LaunchConfiguration(condition.argument)
        return PythonExpression(["'", text, f"'.count(',') >= {condition.place}"])
    compare = EqualsSubstitution if isinstance(condition, When) else NotEqualsSubstitution
    return compare(LaunchConfiguration(condition.argument), condition.value)


def _all_of(conditions: list[Any]) -> Any:
    from launch.substitutions import AndSubstitution

    first, *others = conditions
    for other in others:
        first = AndSubstitution(first, other)
    return first


def _parameter(bringup: Bringup, value: Any) -> Any:
    from launch.substitutions import LaunchConfiguration, PythonExpression
    from launch_ros.parameter_descriptions import ParameterValue

    if isinstance(value, UseItem):
        text = PythonExpression(
            ["'", LaunchConfiguration(value.argument), f"'.split(',')[{value.place}].strip()"]
        )
        return ParameterValue(text, value_type=str)
    if isinstance(value, Use):
        argument: Argument = bringup.argument(value.argument)
        return ParameterValue(LaunchConfiguration(argument.name), value_type=argument.type)
    return list(value) if isinstance(value, tuple) else value


def _text(value: Any) -> Any:
    from launch.substitutions import LaunchConfiguration

    return LaunchConfiguration(value.argument) if isinstance(value, Use) else value


def _on_exit(node: NodeEntry) -> Any:
    """End the launch with the process; raising is the one way to make `ros2 launch` exit with an error."""

    def on_exit(event: "ProcessExited", context: "LaunchContext") -> Any:
        from launch.actions import Shutdown

        if context.is_shutdown:
            return None
        if node.role is Role.RESULT and event.returncode == 0:
            return Shutdown(reason=f"{node.name} is done")
        raise RuntimeError(f"{node.name} ended with exit code {event.returncode}")

    return on_exit
