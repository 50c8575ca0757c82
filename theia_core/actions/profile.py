"""Robot profiles: limits, poses and guard numbers of one robot, from a YAML file an operator may edit."""

import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from theia_core.errors import TheiaError

_REPOSITORY_ROBOTS = Path(__file__).resolve().parents[2] / "deploy" / "robots"


@dataclass(frozen=True)
class GripperLimits:
    """How the PWM gripper is driven; PWM is unitless, + opens, - closes."""

    pwm: float
    hold_pwm: float
    settle_s: float
    close_below: float
    open_above: float


@dataclass(frozen=True)
class GuardLimits:
    """Numbers of the guard; each name carries its unit."""

    step_s: float
    tick_s: float
    input_timeout_s: float
    resume_window_s: float
    joint_state_timeout_s: float
    max_step_m: float
    max_step_rad: float
    max_joint_step_rad: float
    tracking_error_rad: float
    tracking_error_s: float
    ramp_rad_s: float


@dataclass(frozen=True)
class Workspace:
    """Box that the end effector may not leave, in base_link [m]."""

    workspace_min_m: np.ndarray
    workspace_max_m: np.ndarray

    def contains(self, position_m: np.ndarray) -> bool:
        """Whether the (3,) position lies inside the box, its faces included."""
        return bool(np.all(position_m >= self.workspace_min_m) and np.all(position_m <= self.workspace_max_m))


@dataclass(frozen=True)
class ChainLink:
    """One revolute joint: axis and offset from the joint before it, both in that joint's frame."""

    joint: str
    axis: np.ndarray
    offset_m: np.ndarray


@dataclass(frozen=True)
class RobotProfile:
    """Everything the guard must know of one arm; arrays are (6,) in the order of `joint_names`."""

    name: str
    namespace: str
    joint_names: tuple[str, ...]
    finger_joint: str
    joint_lower_rad: np.ndarray
    joint_upper_rad: np.ndarray
    finger_range_m: np.ndarray
    neutral_rad: np.ndarray
    sleep_rad: np.ndarray
    chain: tuple[ChainLink, ...]
    tool_offset_m: np.ndarray
    gripper: GripperLimits
    guard: GuardLimits
    tasks: dict[str, Workspace]

    def workspace(self, task: str) -> Workspace:
        """The task's workspace box.

        Raises:
            TheiaError: if the profile has no limits for that task.
        """
        if task not in self.tasks:
            known = ", ".join(sorted(self.tasks))
            raise TheiaError(f"robot profile {self.name} has no task {task!r}; known: {known}")
        return self.tasks[task]


def load_profile(name_or_path: str = "wx250s") -> RobotProfile:
    """Read and check a robot profile.

    Args:
        name_or_path: a shipped name ("wx250s") or the path of a YAML file.

    Raises:
        TheiaError: if the file or a field is missing, unknown, of the wrong length or out of order.
    """
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        folders = (_REPOSITORY_ROBOTS, Path(sys.prefix) / "share" / "theia" / "robots")
        path = next(
            (f / f"{name_or_path}.yaml" for f in folders if (f / f"{name_or_path}.yaml").exists()), path
        )
    try:
        raw = yaml.safe_load(path.read_text())
    except OSError as error:
        raise TheiaError(
            f"cannot read robot profile {name_or_path}: {error.strerror}; give a path to a .yaml file"
        ) from None
    except yaml.YAMLError as error:
        raise TheiaError(f"robot profile {path} is not valid YAML: {error}") from None
    try:
        return _parse(raw)
    except (KeyError, TypeError, ValueError) as error:
        raise TheiaError(f"robot profile {path}: {error}; compare it with the shipped wx250s.yaml") from None


def _parse(raw: Any) -> RobotProfile:
    if not isinstance(raw, dict):
        raise ValueError("the file holds no mapping")
    raw = dict(raw)
    _check_keys("profile", raw, RobotProfile)
    for part, kind in (("gripper", GripperLimits), ("guard", GuardLimits)):
        _check_keys(part, raw[part], kind)
        raw[part] = kind(**{key: float(value) for key, value in raw[part].items()})
    raw["tasks"] = {task: _workspace(task, box) for task, box in raw["tasks"].items()}
    raw["chain"] = tuple(
        ChainLink(
            str(link["joint"]), _vector("axis", link["axis"], 3), _vector("offset_m", link["offset_m"], 3)
        )
        for link in raw["chain"]
    )
    raw["joint_names"] = tuple(raw["joint_names"])
    dof = len(raw["joint_names"])
    for key in ("joint_lower_rad", "joint_upper_rad", "neutral_rad", "sleep_rad"):
        raw[key] = _vector(key, raw[key], dof)
    raw["finger_range_m"] = _vector("finger_range_m", raw["finger_range_m"], 2)
    raw["tool_offset_m"] = _vector("tool_offset_m", raw["tool_offset_m"], 3)
    profile = RobotProfile(**raw)
    if tuple(link.joint for link in profile.chain) != profile.joint_names:
        raise ValueError("chain must list the joints in the order of joint_names")
    if not np.all(profile.joint_lower_rad < profile.joint_upper_rad):
        raise ValueError("joint_lower_rad must lie below joint_upper_rad")
    for key in ("neutral_rad", "sleep_rad"):
        pose = getattr(profile, key)
        if np.any(pose < profile.joint_lower_rad) or np.any(pose > profile.joint_upper_rad):
            raise ValueError(f"{key} lies outside the joint limits")
    return profile


def _check_keys(part: str, raw: dict[str, Any], kind: type) -> None:
    wanted = {f.name for f in fields(kind)}
    if missing := sorted(wanted - set(raw)):
        raise ValueError(f"{part} lacks {', '.join(missing)}")
    if unknown := sorted(set(raw) - wanted):
        raise ValueError(f"{part} has unknown {', '.join(unknown)}")


def _workspace(task: str, box: dict[str, Any]) -> Workspace:
    _check_keys(f"tasks.{task}", box, Workspace)
    workspace = Workspace(**{key: _vector(key, value, 3) for key, value in box.items()})
    if not np.all(workspace.workspace_min_m < workspace.workspace_max_m):
        raise ValueError(f"tasks.{task}: workspace_min_m must lie below workspace_max_m")
    return workspace


def _vector(key: str, value: Any, length: int) -> np.ndarray:
    array = np.asarray(value, dtype=float)
    if array.shape != (length,) or not np.all(np.isfinite(array)):
        raise ValueError(f"{key} must be {length} finite numbers, not {value}")
    return array
