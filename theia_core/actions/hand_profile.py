"""Profile of a robot that is told hand poses and has kinematics and servos of its own, such as Spot."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from theia_core.actions.profile_fields import check_keys, mapping, number, positive, read_profile, vector
from theia_core.errors import TheiaError

_MOST_SILENCE_S = 0.4  # the arm holds this long after the last chunk at the latest


@dataclass(frozen=True)
class HandLimits:
    """Numbers of the hand's guard; each name carries its unit."""

    step_s: float
    tick_s: float
    input_timeout_s: float
    resume_window_s: float
    state_timeout_s: float
    max_step_m: float
    max_step_rad: float
    max_gripper_step: float
    max_skew: float
    tracking_error_m: float
    tracking_error_s: float


@dataclass(frozen=True)
class HandWorkspace:
    """Box of the hand in the root frame, and the largest angle by which it may be turned against its axes."""

    workspace_min_m: np.ndarray
    workspace_max_m: np.ndarray
    max_turn_rad: float


@dataclass(frozen=True)
class HandProfile:
    """Everything the guard must know of one robot; arrays are (6,) in the order of `joint_names`."""

    name: str
    namespace: str
    joint_names: tuple[str, ...]
    gripper_joint: str
    joint_lower_rad: np.ndarray
    joint_upper_rad: np.ndarray
    ready_rad: np.ndarray
    guard: HandLimits
    tasks: dict[str, HandWorkspace]

    def workspace(self, task: str) -> HandWorkspace:
        """The task's workspace.

        Raises:
            TheiaError: if the profile has no limits for that task.
        """
        if task not in self.tasks:
            known = ", ".join(sorted(self.tasks))
            raise TheiaError(f"robot profile {self.name} has no task {task!r}; known: {known}")
        return self.tasks[task]


def load_hand_profile(name_or_path: str = "spot_arm") -> HandProfile:
    """Read and check a profile.

    Args:
        name_or_path: a shipped name ("spot_arm") or the path of a YAML file.

    Raises:
        TheiaError: if the file or a field is missing, unknown, of the wrong length or out of order.
    """
    path, raw = read_profile(name_or_path)
    try:
        return _parse(raw)
    except (KeyError, TypeError, ValueError) as error:
        raise TheiaError(
            f"robot profile {path}: {error}; compare it with the shipped spot_arm.yaml"
        ) from None


def _parse(raw: Any) -> HandProfile:
    raw = dict(mapping("the file", raw))
    check_keys("profile", raw, HandProfile)
    check_keys("guard", mapping("guard", raw["guard"]), HandLimits)
    raw["guard"] = HandLimits(**{key: positive(f"guard.{key}", v) for key, v in raw["guard"].items()})
    raw["tasks"] = {task: _workspace(task, box) for task, box in mapping("tasks", raw["tasks"]).items()}
    raw["joint_names"] = tuple(map(str, raw["joint_names"]))
    for key in ("joint_lower_rad", "joint_upper_rad", "ready_rad"):
        raw[key] = vector(key, raw[key], len(raw["joint_names"]))
    profile = HandProfile(**raw)
    _check(profile)
    return profile


def _workspace(task: str, box: Any) -> HandWorkspace:
    part = f"tasks.{task}"
    check_keys(part, mapping(part, box), HandWorkspace)
    low = vector(f"{part}.workspace_min_m", box["workspace_min_m"], 3)
    high = vector(f"{part}.workspace_max_m", box["workspace_max_m"], 3)
    if not np.all(low < high):
        raise ValueError(f"{part}: workspace_min_m must lie below workspace_max_m")
    turn_rad = number(f"{part}.max_turn_rad", box["max_turn_rad"])
    if not 0 < turn_rad <= np.pi:
        raise ValueError(f"{part}.max_turn_rad must be above 0 and at most pi, not {turn_rad}")
    return HandWorkspace(low, high, turn_rad)


def _check(profile: HandProfile) -> None:
    limits = profile.guard
    if not np.all(profile.joint_lower_rad < profile.joint_upper_rad):
        raise ValueError("joint_lower_rad must lie below joint_upper_rad")
    if np.any(profile.ready_rad < profile.joint_lower_rad) or np.any(
        profile.ready_rad > profile.joint_upper_rad
    ):
        raise ValueError("ready_rad lies outside the joint limits")
    if not limits.max_skew < 1:
        raise ValueError("guard.max_skew must lie below 1")
    if limits.input_timeout_s + limits.tick_s > _MOST_SILENCE_S + 1e-9:
        raise ValueError(
            f"guard: input_timeout_s and one tick make more than the {_MOST_SILENCE_S} s after which the arm "
            "must hold"
        )
