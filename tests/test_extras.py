"""All extras of pyproject.toml fit together: what is pinned and installed satisfies every requirement."""

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[1]
# Not installed beside each other: onnxruntime-gpu replaces onnxruntime on a machine with a GPU.
ELSEWHERE = {"onnxruntime-gpu"}


def project():
    tomllib = pytest.importorskip("tomllib", reason="Python 3.11")
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]


def pins():
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    found = (re.fullmatch(r"([A-Za-z0-9_.-]+)==(\S+)", line) for line in lines)
    return {canonicalize_name(match[1]): match[2] for match in found if match}


def required():
    """(package, requirement, who asks for it) for everything below all extras, through installed packages."""
    extras = project()["optional-dependencies"]
    asked = [(Requirement(text), "theia") for text in project()["dependencies"]]
    asked += [(Requirement(text), f"theia[{name}]") for name, texts in extras.items() for text in texts]
    seen = set()
    while asked:
        requirement, by = asked.pop()
        name = canonicalize_name(requirement.name)
        if name in ELSEWHERE:
            continue
        yield name, requirement, by
        if (name, frozenset(requirement.extras)) in seen:
            continue
        seen.add((name, frozenset(requirement.extras)))
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        for text in needs:
            below = Requirement(text)
            environments = [{"extra": extra} for extra in (requirement.extras or {""})]
            if below.marker is None or any(below.marker.evaluate(each) for each in environments):
                asked.append((below, name))


def test_pinned_versions_satisfy_all_extras_at_once():
    pinned, wrong, checked = pins(), [], 0
    for name, requirement, by in required():
        if name in pinned:
            checked += 1
            if not requirement.specifier.contains(pinned[name], prereleases=True):
                wrong.append(f"{by} needs {requirement}, constraints.txt pins {pinned[name]}")
    assert not wrong, "\n".join(wrong)
    assert checked > 50


def test_installed_versions_satisfy_all_extras_at_once():
    wrong = []
    for name, requirement, by in required():
        try:
            version = distribution(name).version
        except PackageNotFoundError:
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{by} needs {requirement}, {version} is installed")
    assert not wrong, "\n".join(wrong)


def test_spot_brings_a_protobuf_that_the_others_can_use():
    pytest.importorskip("bosdyn.client", reason="needs the extra `spot`")
    pytest.importorskip("onnx", reason="needs the extra `train`")
    demands = {by: requirement.specifier for name, requirement, by in required() if name == "protobuf"}
    version = distribution("protobuf").version
    print(f"protobuf {version}:", {by: str(specifier) for by, specifier in demands.items()})
    assert {"bosdyn-api", "onnx"} <= set(demands)
    assert all(specifier.contains(version) for specifier in demands.values())
    # and not on paper only: messages of both survive in one process
    import onnx
    from bosdyn.api import robot_state_pb2

    state = robot_state_pb2.RobotState()
    state.manipulator_state.gripper_open_percentage = 42.0
    assert robot_state_pb2.RobotState.FromString(state.SerializeToString()) == state
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    assert onnx.NodeProto.FromString(node.SerializeToString()) == node


def test_what_spot_needs_is_optional():
    needed = [Requirement(text).name for text in project()["dependencies"]]
    assert not [name for name in needed if name.startswith(("bosdyn", "grpc"))]
