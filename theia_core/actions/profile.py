"""Robot profiles: limits, poses and guard numbers of one robot, from a YAML file an operator may edit."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from theia_core.actions.profile_fields import check_keys, mapping, number, positive, read_profile, vector
from theia_core.errors import TheiaError


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
    max_joint_velocity_rad_s: float
    max_joint_acceleration_rad_s2: float
    blend_s: float
    path_slack_m: float
    tracking_error_rad: float
    tracking_error_s: float
    ramp_rad_s: float
    sleep_tolerance_rad: float
    move_profile_s: float


@dataclass(frozen=True)
class Workspace:
    """Box that the end effector may not leave; height below which no guarded point may go; in base_link."""

    workspace_min_m: np.ndarray
    workspace_max_m: np.ndarray
    floor_m: float

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
class GuardedPoint:
    """A ball on the arm that stays above the task's floor: its centre in the frame of a joint, its radius."""

    name: str
    joint: str
    offset_m: np.ndarray
    radius_m: float


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
    guarded_points: tuple[GuardedPoint, ...]
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
    path, raw = read_profile(name_or_path)
    try:
        return _parse(raw)
    except (KeyError, TypeError, ValueError) as error:
        raise TheiaError(f"robot profile {path}: {error}; compare it with the shipped wx250s.yaml") from None


def _parse(raw: Any) -> RobotProfile:
    raw = dict(mapping("the file", raw))
    check_keys("profile", raw, RobotProfile)
    for part, kind in (("gripper", GripperLimits), ("guard", GuardLimits)):
        check_keys(part, mapping(part, raw[part]), kind)
        raw[part] = kind(**{key: positive(f"{part}.{key}", value) for key, value in raw[part].items()})
    raw["tasks"] = {task: _workspace(task, box) for task, box in mapping("tasks", raw["tasks"]).items()}
    raw["chain"] = tuple(_link(index, link) for index, link in enumerate(raw["chain"]))
    raw["joint_names"] = tuple(map(str, raw["joint_names"]))
    raw["guarded_points"] = tuple(_point(index, point) for index, point in enumerate(raw["guarded_points"]))
    dof = len(raw["joint_names"])
    for key in ("joint_lower_rad", "joint_upper_rad", "neutral_rad", "sleep_rad"):
        raw[key] = vector(key, raw[key], dof)
    raw["finger_range_m"] = vector("finger_range_m", raw["finger_range_m"], 2)
    raw["tool_offset_m"] = vector("tool_offset_m", raw["tool_offset_m"], 3)
    profile = RobotProfile(**raw)
    _check_arm(profile)
    _check_guard(profile.guard)
    _check_gripper(profile.gripper)
    return profile


def _check_arm(profile: RobotProfile) -> None:
    if tuple(link.joint for link in profile.chain) != profile.joint_names:
        raise ValueError("chain must list the joints in the order of joint_names")
    for point in profile.guarded_points:
        if point.joint not in profile.joint_names:
            raise ValueError(f"guarded point {point.name} hangs on the unknown joint {point.joint!r}")
    if not np.all(profile.joint_lower_rad < profile.joint_upper_rad):
        raise ValueError("joint_lower_rad must lie below joint_upper_rad")
    if not profile.finger_range_m[0] < profile.finger_range_m[1]:
        raise ValueError("finger_range_m must be given from closed to open")
    for key in ("neutral_rad", "sleep_rad"):
        pose = getattr(profile, key)
        if np.any(pose < profile.joint_lower_rad) or np.any(pose > profile.joint_upper_rad):
            raise ValueError(f"{key} lies outside the joint limits")


def _check_guard(guard: GuardLimits) -> None:
    """The numbers must agree with each other, or the guard could not keep all of them."""
    fastest_step_rad = guard.max_joint_velocity_rad_s * guard.step_s
    if guard.max_joint_step_rad > fastest_step_rad + 1e-9:
        raise ValueError(
            f"guard.max_joint_step_rad {guard.max_joint_step_rad} cannot be done in step_s at "
            f"max_joint_velocity_rad_s: at most {fastest_step_rad:.3f}"
        )
    if guard.ramp_rad_s > guard.max_joint_velocity_rad_s:
        raise ValueError("guard.ramp_rad_s must not exceed guard.max_joint_velocity_rad_s")
    braking_s = guard.max_joint_velocity_rad_s / guard.max_joint_acceleration_rad_s2
    if guard.input_timeout_s + guard.tick_s + braking_s > 0.4 + 1e-9:
        raise ValueError(
            f"guard: input_timeout_s, one tick and {braking_s:.3f} s of braking make more than the 0.4 s in "
            "which the arm must rest; shorten the timeout or allow more acceleration"
        )


def _check_gripper(gripper: GripperLimits) -> None:
    if not gripper.hold_pwm <= gripper.pwm <= 350:
        raise ValueError("gripper: hold_pwm must not exceed pwm, and pwm must not exceed 350")
    if not gripper.close_below < gripper.open_above < 1:
        raise ValueError("gripper: close_below must lie below open_above, and that below 1")


def _workspace(task: str, box: Any) -> Workspace:
    part = f"tasks.{task}"
    check_keys(part, mapping(part, box), Workspace)
    low = vector(f"{part}.workspace_min_m", box["workspace_min_m"], 3)
    high = vector(f"{part}.workspace_max_m", box["workspace_max_m"], 3)
    if not np.all(low < high):
        raise ValueError(f"{part}: workspace_min_m must lie below workspace_max_m")
    return Workspace(low, high, number(f"{part}.floor_m", box["floor_m"]))


def _link(index: int, link: Any) -> ChainLink:
    part = f"chain[{index}]"
    check_keys(part, mapping(part, link), ChainLink)
    axis = vector(f"{part}.axis", link["axis"], 3)
    return ChainLink(str(link["joint"]), axis, vector(f"{part}.offset_m", link["offset_m"], 3))


def _point(index: int, point: Any) -> GuardedPoint:
    part = f"guarded_points[{index}]"
    check_keys(part, mapping(part, point), GuardedPoint)
    offset_m = vector(f"{part}.offset_m", point["offset_m"], 3)
    radius_m = number(f"{part}.radius_m", point["radius_m"])
    return GuardedPoint(str(point["name"]), str(point["joint"]), offset_m, radius_m)
