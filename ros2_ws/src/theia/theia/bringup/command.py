"""The command line of a node's process, as ros2 launch would write it."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from theia.bringup.resolve import ResolvedNode
from theia_core.errors import TheiaError


def command_line(node: ResolvedNode, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Program and arguments that start `node`.

    Raises:
        TheiaError: if its package is not installed.
    """
    words = [*_program(node, environment), "--ros-args", "-r", f"__node:={node.name}"]
    for name, value in node.parameters.items():
        words += ["-p", f"{name}:={_yaml(value)}"]
    for name, target in node.remappings.items():
        if name != target:
            words += ["-r", f"{name}:={target}"]
    return words


def _program(node: ResolvedNode, environment: Mapping[str, str]) -> list[str]:
    prefixes = [
        Path(sys.prefix),
        *map(Path, filter(None, environment.get("AMENT_PREFIX_PATH", "").split(":"))),
    ]
    for prefix in prefixes:
        path = prefix / "lib" / node.package / node.executable
        if path.is_file():
            # A script that asks for whatever python3 comes first in PATH gets this one.
            this_python = path.read_bytes().startswith(b"#!/usr/bin/env python3")
            return [sys.executable, str(path)] if this_python else [str(path)]
    raise TheiaError(
        f"no executable {node.executable} of package {node.package} in {', '.join(map(str, prefixes))}; "
        "install the packages: pip install -e '.[ros]' (or colcon build, and source install/setup.bash)"
    )


def _yaml(value: object) -> str:
    """A value as rcl's YAML reader gets it back unchanged, in one line."""
    value = list(value) if isinstance(value, tuple) else value
    return (
        yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("\n").removesuffix("\n...")
    )
