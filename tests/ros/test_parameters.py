import importlib
import pkgutil
from dataclasses import dataclass, is_dataclass

import pytest

pytest.importorskip("rclpy")
from rclpy.parameter import Parameter

import theia.nodes
import theia_sim.ros
from theia.nodekit.parameters import declare, parameter, specs
from theia_core.errors import TheiaError


@dataclass(frozen=True)
class Example:
    """Parameters of nothing."""

    rate_hz: float = parameter(10.0, "frames per second", low=0.5, high=60.0)
    count: int = parameter(3, "how many", low=1, high=9)
    kind: str = parameter("a", "which", choices=("a", "b"))
    names: tuple[str, ...] = parameter((), "texts")
    loud: bool = parameter(False, "noise")


@pytest.fixture
def node_with(ros):
    nodes = []

    def make(**overrides):
        overrides = [Parameter(name, value=value) for name, value in overrides.items()]
        nodes.append(ros.create_node("example", parameter_overrides=overrides))
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()


def test_defaults_and_overrides_arrive_typed(node_with):
    assert declare(node_with(), Example) == Example()
    given = declare(node_with(rate_hz=5.0, names=["x", "y"], loud=True), Example)
    assert given == Example(rate_hz=5.0, names=("x", "y"), loud=True)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"rate_hz": 100.0}, "parameter rate_hz is 100.0; it must lie between 0.5 and 60.0"),
        ({"count": 0}, "parameter count is 0; it must lie between 1 and 9"),
        ({"kind": "c"}, "parameter kind is 'c'; choose one of a, b"),
        ({"count": "three"}, "parameter count must be a whole number"),
    ],
)
def test_bad_value_is_one_sentence(node_with, overrides, sentence):
    with pytest.raises(TheiaError) as error:
        declare(node_with(**overrides), Example)
    assert str(error.value).startswith(sentence)


def test_parameters_cannot_be_changed_while_running(node_with):
    node = node_with()
    declare(node, Example)
    assert not node.set_parameters([Parameter("count", value=4)])[0].successful
    assert node.describe_parameter("count").integer_range[0].to_value == 9


def test_number_without_bounds_is_refused():
    @dataclass(frozen=True)
    class Unbounded:
        """Parameters of nothing."""

        rate_hz: float = parameter(1.0, "no bounds")

    with pytest.raises(TypeError, match="rate_hz is a number without bounds"):
        specs(Unbounded)


def parameter_classes():
    for package in (theia.nodes, theia_sim.ros):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            contents = vars(importlib.import_module(module.name))
            for name, kind in contents.items():
                if name.endswith("Parameters") and is_dataclass(kind) and kind.__module__ == module.name:
                    yield pytest.param(kind, id=name)


@pytest.mark.parametrize("kind", list(parameter_classes()))
def test_every_node_declares_parameters_whose_defaults_are_valid(kind):
    for spec in specs(kind):
        spec.check(spec.default)
        assert spec.description
        assert not spec.description.endswith(".")
