"""What a bring-up is: arguments, and nodes whose parameters, remappings and presence depend on them.

Everything here is data. `theia.bringup.resolve` evaluates it for `theia up`, `theia.bringup.ros_launch` turns
it into the substitutions and conditions of ros2 launch; a test compares what the two make of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True)
class Argument:
    """An argument `name:=value` of a bring-up; values are texts, as everywhere in ros2 launch.

    Attributes:
        name: its name.
        default: value where none is given.
        description: one line.
        choices: allowed values; empty allows any.
        type: what the text must be read as: str, int or bool.
    """

    name: str
    default: str
    description: str
    choices: tuple[str, ...] = ()
    type: type = str


@dataclass(frozen=True)
class Use:
    """Stands for the value of an argument, in the argument's type."""

    argument: str


@dataclass(frozen=True)
class UseItem:
    """Stands for one text of an argument that is a list, such as `a,b`; `place` counts from 0."""

    argument: str
    place: int


@dataclass(frozen=True)
class When:
    """Holds if the argument has this value."""

    argument: str
    value: str


@dataclass(frozen=True)
class Unless:
    """Holds if the argument has another value."""

    argument: str
    value: str


@dataclass(frozen=True)
class HasItem:
    """Holds if the argument's list reaches to `place`, counted from 0."""

    argument: str
    place: int


Condition = When | Unless | HasItem
Value = bool | int | float | str | tuple[str, ...] | Use | UseItem


class Role(Enum):
    """What the end of a node's process means.

    Attributes:
        REQUIRED: the bring-up cannot go on; that it ended is a failure.
        RESULT: the bring-up is over, and the process's exit code is that of the whole.
    """

    REQUIRED = "required"
    RESULT = "result"


@dataclass(frozen=True, kw_only=True)
class NodeEntry:
    """One process with one node.

    Attributes:
        package: ROS package.
        executable: its name in `lib/<package>`.
        name: name of the node.
        parameters: parameters that differ from the node's own defaults.
        remappings: topic or service name -> name or argument.
        conditions: the node is started only if all hold.
        role: what its end means.
    """

    package: str
    executable: str
    name: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    remappings: Mapping[str, str | Use] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    role: Role = Role.REQUIRED


@dataclass(frozen=True, kw_only=True)
class Bringup:
    """A set of nodes that belong together.

    Attributes:
        name: what `theia up` and the launch file are called.
        description: one line.
        arguments: what can be chosen.
        nodes: the nodes, in the order in which they are started.
    """

    name: str
    description: str
    arguments: tuple[Argument, ...]
    nodes: tuple[NodeEntry, ...]

    def __post_init__(self) -> None:
        """Refuse a reference to an argument that does not exist, and a default that is no choice."""
        known = {argument.name for argument in self.arguments}
        used = {condition.argument for node in self.nodes for condition in node.conditions}
        for node in self.nodes:
            values = (*node.parameters.values(), *node.remappings.values())
            used |= {value.argument for value in values if isinstance(value, Use | UseItem)}
        if unknown := used - known:
            raise ValueError(f"bring-up {self.name} uses unknown arguments: {', '.join(sorted(unknown))}")
        for argument in self.arguments:
            if argument.choices and argument.default not in argument.choices:
                raise ValueError(f"argument {argument.name}: default {argument.default!r} is no choice")

    def argument(self, name: str) -> Argument:
        """The argument of that name."""
        return next(argument for argument in self.arguments if argument.name == name)
