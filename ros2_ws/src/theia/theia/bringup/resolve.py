"""A bring-up with its arguments filled in: which nodes to start, with which values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from theia.bringup.description import (
    Argument,
    Bringup,
    Condition,
    HasItem,
    NodeEntry,
    Role,
    Use,
    UseItem,
    When,
)
from theia_core.errors import TheiaError

_BOOLEANS = {"true": True, "false": False}
Plain = bool | int | float | str | tuple[str, ...]


@dataclass(frozen=True)
class ResolvedNode:
    """A node to start; fields as in `NodeEntry`, with every argument replaced by its value."""

    package: str
    executable: str
    name: str
    parameters: dict[str, Plain]
    remappings: dict[str, str]
    role: Role


def parse_arguments(bringup: Bringup, given: Sequence[str]) -> dict[str, str]:
    """Read `name:=value` texts and add the defaults.

    Raises:
        TheiaError: if one has another form, or names an argument that the bring-up does not have, or a value
            that is not allowed.
    """
    values = {argument.name: argument.default for argument in bringup.arguments}
    for text in given:
        name, separator, value = text.partition(":=")
        if not separator:
            raise TheiaError(f"{text!r} is no argument; write name:=value, for example trials:=5")
        if name not in values:
            raise TheiaError(
                f"{bringup.name} has no argument {name!r}; "
                f"there are {', '.join(values)} (--show-args explains)"
            )
        values[name] = value
    for argument in bringup.arguments:
        _typed(argument, values[argument.name])
    return values


def resolve(bringup: Bringup, values: Mapping[str, str]) -> list[ResolvedNode]:
    """The nodes to start with these argument values, as `parse_arguments` returns them."""
    return [_resolve_node(bringup, node, values) for node in bringup.nodes if _applies(node, values)]


def _applies(node: NodeEntry, values: Mapping[str, str]) -> bool:
    return all(_holds(condition, values) for condition in node.conditions)


def _holds(condition: Condition, values: Mapping[str, str]) -> bool:
    if isinstance(condition, HasItem):
        return values[condition.argument].count(",") >= condition.place
    equal = values[condition.argument] == condition.value
    return equal if isinstance(condition, When) else not equal


def _resolve_node(bringup: Bringup, node: NodeEntry, values: Mapping[str, str]) -> ResolvedNode:
    def plain(value: Plain | Use | UseItem) -> Plain:
        if isinstance(value, UseItem):
            return values[value.argument].split(",")[value.place].strip()
        if isinstance(value, Use):
            return _typed(bringup.argument(value.argument), values[value.argument])
        return value

    return ResolvedNode(
        node.package,
        node.executable,
        node.name,
        {name: plain(value) for name, value in node.parameters.items()},
        {name: str(plain(value)) for name, value in node.remappings.items()},
        node.role,
    )


def _typed(argument: Argument, text: str) -> Plain:
    if argument.choices and text not in argument.choices:
        raise TheiaError(f"argument {argument.name} is {text!r}; choose one of {', '.join(argument.choices)}")
    if argument.type is bool:
        return _BOOLEANS[text]
    if argument.type is int:
        try:
            return int(text)
        except ValueError:
            raise TheiaError(f"argument {argument.name} is {text!r}; give a whole number") from None
    return text
