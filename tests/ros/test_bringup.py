"""The two front ends of a bring-up must start the same: ros2 launch's actions, `theia up`'s processes."""

import importlib.util
import itertools
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from theia.bringup import BRINGUPS, Bringup, Role
from theia.bringup.command import command_line
from theia.bringup.resolve import parse_arguments, resolve
from theia.nodekit.parameters import specs
from theia_core.actions.profile import load_profile
from theia_core.errors import TheiaError
from theia_core.tasks import TASKS

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = REPOSITORY / "ros2_ws" / "src"
STAND_IN = Path(__file__).parent / "stand_in"
PARAMETERS = {
    "widowx_sim": "theia_sim.ros.widowx_sim:SimParameters",
    "widowx_guard": "theia.nodes.widowx_guard:GuardParameters",
    "encoder": "theia.nodes.encoder:EncoderParameters",
    "bc_policy": "theia.nodes.bc_policy:PolicyParameters",
    "lifecycle_manager": "theia.nodes.lifecycle_manager:ManagerParameters",
    "recorder": "theia.nodes.recorder:RecorderParameters",
    "evaluator": "theia.nodes.evaluator:EvaluatorParameters",
    "teleop": "theia.nodes.teleop:TeleopParameters",
    "synthetic_operator": "theia_sim.ros.synthetic_operator:OperatorParameters",
    "spot_sim": "theia_sim.ros.spot_sim:SpotSimParameters",
    "spot_bridge": "theia.nodes.spot_bridge:BridgeParameters",
    "spot_collector": "theia.nodes.spot_collector:CollectorParameters",
    "diffusion_policy": "theia.nodes.diffusion_policy:DiffusionParameters",
}


def _names(bringup):
    return [argument.name for argument in bringup.arguments]


@pytest.fixture(params=sorted(BRINGUPS))
def bringup(request) -> Bringup:
    return BRINGUPS[request.param]


@pytest.fixture
def launched(bringup, monkeypatch):
    """Loads the launch file, with the real launch where there is one: arguments, what each Node was given."""
    if importlib.util.find_spec("launch_ros") is None:
        monkeypatch.syspath_prepend(str(STAND_IN))
        for name in [name for name in sys.modules if name.partition(".")[0] in ("launch", "launch_ros")]:
            monkeypatch.delitem(sys.modules, name)
    import launch.actions
    import launch_ros.actions

    path = REPOSITORY / "launch" / f"{bringup.name}.launch.py"
    spec = importlib.util.spec_from_file_location("launch_file", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    real_node = launch_ros.actions.Node

    def load():
        nodes = []
        with monkeypatch.context() as patch:
            patch.setattr(
                launch_ros.actions, "Node", lambda **given: nodes.append(given) or real_node(**given)
            )
            entities = module.generate_launch_description().entities
        declared = [e for e in entities if isinstance(e, launch.actions.DeclareLaunchArgument)]
        nodes = [SimpleNamespace(**given) for given in nodes]
        return SimpleNamespace(declared=declared, nodes=nodes, launch=launch)

    yield load
    for name in [name for name in sys.modules if name.partition(".")[0] in ("launch", "launch_ros")]:
        if str(STAND_IN) in str(getattr(sys.modules[name], "__file__", "")):
            monkeypatch.delitem(sys.modules, name)


def as_launch_would_start(launched, values):
    """What ros2 launch makes of the recorded actions with these argument values."""
    context = launched.launch.LaunchContext()
    context.launch_configurations.update(values)

    def plain(value):
        if hasattr(value, "evaluate"):
            return value.evaluate(context)
        if hasattr(value, "perform"):
            return value.perform(context)
        return tuple(value) if isinstance(value, list) else value

    return [
        (
            node.package,
            node.executable,
            node.name,
            {name: plain(value) for each in node.parameters for name, value in each.items()},
            {name: plain(value) for name, value in node.remappings},
        )
        for node in launched.nodes
        if node.condition is None or node.condition.evaluate(context)
    ]


def all_values(bringup):
    """Argument values that switch every condition: all choices, and numbers zero, one and five."""
    options = []
    for argument in bringup.arguments:
        if argument.choices:
            options.append(argument.choices)
        elif argument.name == "policies":
            options.append(("a", "a, b", "a,b,runs/c"))
        else:
            switching = {"trials": ("0", "1", "5"), "spot": ("sim", "192.168.80.3")}
            options.append(switching.get(argument.name, (argument.default,)))
    for values in itertools.product(*options):
        yield dict(zip([argument.name for argument in bringup.arguments], values, strict=True))


def test_launch_file_and_theia_up_start_the_same(bringup, launched):
    compared = 0
    for values in all_values(bringup):
        given = [f"{name}:={value}" for name, value in values.items()]
        ours = [
            (node.package, node.executable, node.name, node.parameters, node.remappings)
            for node in resolve(bringup, parse_arguments(bringup, given))
        ]
        # loaded anew each time: the real ParameterValue remembers its first evaluation
        assert as_launch_would_start(launched(), values) == ours
        compared += 1
    assert compared >= 2 * 2


@pytest.mark.parametrize("name", [b.name for b in BRINGUPS.values() if "execution" in _names(b)])
def test_how_predictions_are_executed_reaches_the_policy(name):
    bringup = BRINGUPS[name]
    given = ["execution:=ensemble:0.1,no-latency-compensation"]
    given += ["mode:=evaluate"] if "mode" in _names(bringup) else []
    nodes = resolve(bringup, parse_arguments(bringup, given))
    (policy,) = [node for node in nodes if node.executable in ("bc_policy", "diffusion_policy")]
    assert policy.parameters["execution"] == "ensemble:0.1,no-latency-compensation"


def test_launch_file_declares_the_same_arguments(bringup, launched):
    launched = launched()
    assert [argument.name for argument in launched.declared] == [a.name for a in bringup.arguments]
    for declared, argument in zip(launched.declared, bringup.arguments, strict=True):
        assert declared.description.startswith(argument.description)  # the real one adds the choices
        assert tuple(declared.choices or ()) == argument.choices
        default = declared.default_value
        assert default == argument.default or default[0].text == argument.default


def test_launch_ends_with_the_processes_that_matter(bringup, launched):
    launched = launched()
    for action, node in zip(launched.nodes, bringup.nodes, strict=True):
        running, ending = SimpleNamespace(is_shutdown=False), SimpleNamespace(is_shutdown=True)
        with pytest.raises(RuntimeError, match=f"{node.name} ended with exit code 2"):
            action.on_exit(SimpleNamespace(returncode=2), running)
        assert action.on_exit(SimpleNamespace(returncode=2), ending) is None
        if node.role is Role.RESULT:
            done = action.on_exit(SimpleNamespace(returncode=0), running)
            assert isinstance(done, launched.launch.actions.Shutdown)


def test_every_parameter_exists_in_its_node_with_that_type(bringup):
    switches = {"record": "true", "teleop": "synthetic"}
    given = [f"{name}:={value}" for name, value in switches.items() if name in _names(bringup)]
    ways = [given, [*given, "mode:=evaluate"]] if "mode" in _names(bringup) else [given]
    for node in [node for way in ways for node in resolve(bringup, parse_arguments(bringup, way))]:
        module, _, name = PARAMETERS[node.executable].partition(":")
        declared = {s.name: s for s in specs(getattr(importlib.import_module(module), name))}
        for parameter, value in node.parameters.items():
            assert parameter in declared, f"{node.name} has no parameter {parameter}"
            if isinstance(value, tuple):
                assert declared[parameter].type == tuple[str, ...]
            else:
                assert type(value) is declared[parameter].type
                declared[parameter].check(value)


def test_every_executable_is_shipped_and_executable(bringup):
    for node in bringup.nodes:
        wrapper = SOURCES / node.package / "libexec" / node.executable
        assert wrapper.stat().st_mode & 0o111, f"{wrapper} is not executable"
        assert wrapper.read_text().startswith("#!/usr/bin/env python3\n")


@pytest.mark.parametrize("task", sorted(name for name, task in TASKS.items() if task.robot == "wx250s"))
def test_every_task_reaches_scene_guard_policy_and_evaluator(task):
    bringup = BRINGUPS[f"widowx_{task}"]
    nodes = {node.name: node.parameters for node in resolve(bringup, parse_arguments(bringup, []))}
    assert {nodes[name]["task"] for name in ("widowx_sim", "widowx_guard", "evaluator")} == {task}
    assert nodes["bc_policy"]["policy"] == nodes["encoder"]["policy"] == task
    assert nodes["evaluator"]["output"] == f"runs/widowx_{task}"
    assert task in load_profile("wx250s").tasks


def test_real_robot_gets_neither_simulator_nor_evaluator():
    bringup = BRINGUPS["widowx_door"]
    names = [node.name for node in resolve(bringup, parse_arguments(bringup, ["robot:=real"]))]
    assert names == ["widowx_guard", "encoder", "bc_policy", "lifecycle_manager"]


def test_trials_zero_only_brings_up():
    bringup = BRINGUPS["widowx_door"]
    nodes = resolve(bringup, parse_arguments(bringup, ["trials:=0"]))
    assert not any(node.role is Role.RESULT for node in nodes)
    assert "widowx_sim" in [node.name for node in nodes]


def test_recording_on_a_real_robot_starts_neither_simulator_nor_synthetic_operator():
    bringup = BRINGUPS["record"]
    given = ["robot:=real", "teleop:=synthetic", "joy_topic:=/spacenav/joy", "controls:=spacemouse"]
    nodes = {node.name: node for node in resolve(bringup, parse_arguments(bringup, given))}
    assert list(nodes) == ["widowx_guard", "lifecycle_manager", "teleop", "recorder"]
    for name in ("teleop", "recorder"):
        assert nodes[name].remappings["/joy"] == "/spacenav/joy"
        assert nodes[name].parameters["controls"] == "spacemouse"


def test_camera_topic_is_remapped_for_every_node_that_uses_it():
    bringup = BRINGUPS["widowx_door"]
    nodes = resolve(bringup, parse_arguments(bringup, ["camera_topic:=/cam/color", "record:=true"]))
    remapped = {node.name for node in nodes if node.remappings == {"/camera/image_raw": "/cam/color"}}
    assert remapped == {"widowx_sim", "encoder", "recorder", "evaluator"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("robot:=spot", "argument robot is 'spot'; choose one of sim, real"),
        ("trials:=many", "argument trials is 'many'; give a whole number"),
        ("speed:=2", "widowx_door has no argument 'speed'"),
        ("trials=5", "'trials=5' is no argument; write name:=value"),
    ],
)
def test_wrong_argument_is_one_sentence(given, sentence):
    with pytest.raises(TheiaError) as error:
        parse_arguments(BRINGUPS["widowx_door"], [given])
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_command_line_quotes_values_that_yaml_would_misread():
    bringup = BRINGUPS["widowx_door"]
    nodes = resolve(bringup, parse_arguments(bringup, ["policy:=123", "encoder:=true", "output:=a: b #c"]))
    words = {node.name: command_line(node) for node in nodes}
    assert "policy:='123'" in words["bc_policy"]
    assert "encoder:='true'" in words["encoder"]
    assert "output:='a: b #c'" in words["evaluator"]
    assert "trials:=5" in words["evaluator"]
    assert "nodes:=[widowx_guard, encoder, bc_policy]" in words["lifecycle_manager"]


def test_missing_package_names_what_to_install(monkeypatch, tmp_path):
    bringup = BRINGUPS["widowx_door"]
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(TheiaError, match=r"no executable widowx_sim of package theia_sim .* pip install"):
        command_line(resolve(bringup, parse_arguments(bringup, []))[0], {})


def test_an_evaluation_has_an_encoder_and_a_policy_for_each_contestant():
    bringup = BRINGUPS["evaluate"]
    nodes = resolve(bringup, parse_arguments(bringup, ["policies:=door,runs/b", "task:=door", "scenes:=2"]))
    policies = {node.name: node.parameters.get("policy") for node in nodes if "policy" in node.parameters}
    assert policies == {
        "encoder_0": "door",
        "bc_policy_0": "door",
        "encoder_1": "runs/b",
        "bc_policy_1": "runs/b",
    }
    (managed,) = [node.parameters["nodes"] for node in nodes if node.name == "lifecycle_manager"]
    assert managed == ("widowx_guard",)  # the evaluator activates the others, in turn
    (evaluator,) = [node for node in nodes if node.role is Role.RESULT]
    assert evaluator.parameters["policies"] == "door,runs/b" and evaluator.parameters["trials"] == 2


def test_an_evaluation_on_a_real_robot_has_an_evaluator_and_no_simulator():
    bringup = BRINGUPS["evaluate"]
    names = [node.name for node in resolve(bringup, parse_arguments(bringup, ["robot:=real"]))]
    assert names == ["widowx_guard", "encoder_0", "bc_policy_0", "lifecycle_manager", "recorder", "evaluator"]
