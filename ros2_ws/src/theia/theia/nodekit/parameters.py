"""Parameters declared once: a frozen dataclass says type, default, bounds and meaning of each.

    @dataclass(frozen=True)
    class CameraParameters:
        rate_hz: float = parameter(10.0, "frames per second", low=0.1, high=120.0)

    parameters = declare(node, CameraParameters)

All of them are read-only: a running robot is not retuned from another terminal.
"""

import dataclasses
import typing
from collections.abc import Sequence
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

from theia_core.errors import TheiaError

Parameters = TypeVar("Parameters")
_TYPES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number with a decimal point",
    str: "a text",
    tuple[str, ...]: "a list of texts",
}


@dataclasses.dataclass(frozen=True)
class Spec:
    """One parameter as declared.

    Attributes:
        name: its name.
        type: bool, int, float, str or tuple[str, ...].
        default: value where none is given.
        description: one sentence, units included.
        low: smallest allowed number.
        high: largest allowed number.
        choices: allowed texts.
    """

    name: str
    type: Any
    default: Any
    description: str
    low: float | None
    high: float | None
    choices: tuple[str, ...]

    def check(self, value: Any) -> None:
        """Raise TheiaError unless the value lies within the bounds or among the choices."""
        if self.choices and value not in self.choices:
            raise TheiaError(f"parameter {self.name} is {value!r}; choose one of {', '.join(self.choices)}")
        low = -float("inf") if self.low is None else self.low
        high = float("inf") if self.high is None else self.high
        if self.type in (int, float) and not low <= value <= high:
            raise TheiaError(f"parameter {self.name} is {value}; it must lie between {low} and {high}")

    def descriptor(self) -> ParameterDescriptor:
        """The same for ROS: what `ros2 param describe` shows."""
        text = self.description + (f" ({', '.join(self.choices)})" if self.choices else "")
        descriptor = ParameterDescriptor(name=self.name, description=text, read_only=True)
        if self.low is not None and self.high is not None:
            if self.type is int:
                descriptor.integer_range = [IntegerRange(from_value=int(self.low), to_value=int(self.high))]
            elif self.type is float:
                bounds = FloatingPointRange(from_value=float(self.low), to_value=float(self.high))
                descriptor.floating_point_range = [bounds]
        return descriptor


def parameter(
    default: Any,
    description: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[str] = (),
) -> Any:
    """A field of a parameter dataclass; numbers need both bounds."""
    metadata = {"description": description, "low": low, "high": high, "choices": tuple(choices)}
    return dataclasses.field(default=default, metadata=metadata)


def specs(parameters: type) -> list[Spec]:
    """The declarations of a parameter dataclass, in order.

    Raises:
        TypeError: if a field has a type that ROS parameters cannot have, or a number has no bounds.
    """
    types = typing.get_type_hints(parameters)
    declared = []
    for field in dataclasses.fields(parameters):
        if types[field.name] not in _TYPES:
            raise TypeError(f"{parameters.__name__}.{field.name} has type {types[field.name]}")
        spec = Spec(field.name, types[field.name], field.default, **field.metadata)
        if spec.type in (int, float) and (spec.low is None or spec.high is None):
            raise TypeError(f"{parameters.__name__}.{field.name} is a number without bounds")
        declared.append(spec)
    return declared


def declare(node: Node, parameters: type[Parameters]) -> Parameters:
    """Declare all parameters of the dataclass on `node` and return the values that it was started with.

    Raises:
        TheiaError: if a value has the wrong type or lies out of bounds.
    """
    values = {}
    for spec in specs(parameters):
        # ROS cannot tell the type of an empty list, so one empty text stands for it.
        default = list(spec.default) or [""] if isinstance(spec.default, tuple) else spec.default
        try:
            value = node.declare_parameter(spec.name, default, spec.descriptor()).value
        except InvalidParameterTypeException as error:
            raise TheiaError(f"parameter {spec.name} must be {_TYPES[spec.type]}: {error}") from None
        except InvalidParameterValueException:
            given = node._parameter_overrides[spec.name].value
            spec.check(given)
            raise
        value = tuple(text for text in value if text) if spec.type == tuple[str, ...] else value
        spec.check(value)
        values[spec.name] = value
    return parameters(**values)
