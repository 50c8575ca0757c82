"""From the recorded streams to control steps; `theia_core.alignment` says what a policy sees at a step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from theia_core.actions.hand_state import STATE_NAMES
from theia_core.actions.spaces import EE_DELTA
from theia_core.alignment import align, nearest_index
from theia_core.episodes.codec import decode_image
from theia_core.episodes.messages import stamp_s
from theia_core.episodes.reader import ActionSeries, Episode
from theia_core.episodes.topics import OBSERVED_JOINTS
from theia_core.errors import TheiaError

_SAME_TIME_S = 1e-6


class LazyImages(Sequence[np.ndarray]):
    """Camera frames, kept as they were recorded and decoded to (H, W, 3) uint8 RGB when looked at."""

    def __init__(self, encoded: Sequence[Any]) -> None:
        """Hold decoded sensor_msgs messages whose pixels are still encoded."""
        self._encoded = list(encoded)

    def __len__(self) -> int:
        return len(self._encoded)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> "LazyImages": ...
    def __getitem__(self, index: int | slice) -> "np.ndarray | LazyImages":
        if isinstance(index, slice):
            return LazyImages(self._encoded[index])
        return decode_image(self._encoded[index])


@dataclass(frozen=True)
class ControlSteps:
    """An episode at the control rate; T steps, evenly spaced.

    Attributes:
        stamps_s: (T,) float64, times of the steps.
        images: T frames (H, W, 3) uint8 RGB, decoded when looked at.
        image_stamps_s: (T,) float64, when each was taken; equal neighbours mean that the camera paused.
        joints: (T, 7) float32, six joints [rad] and the left finger [m]; of Spot the state (T, 17) of
            `theia_core.actions.hand_state`.
        joint_stamps_s: (T,) float64, when they were measured.
        actions: (T, D) float32, the action executed from the step on.
        held: (T,) bool, where none was executed: the action is then no motion, with the gripper as before.
        action_space: name of the actions' space.
    """

    stamps_s: np.ndarray
    images: LazyImages
    image_stamps_s: np.ndarray
    joints: np.ndarray
    joint_stamps_s: np.ndarray
    actions: np.ndarray
    held: np.ndarray
    action_space: str

    def __len__(self) -> int:
        return len(self.stamps_s)


def resample(
    episode: Episode, rate_hz: float = 5.0, joint_names: Sequence[str] | None = None
) -> ControlSteps:
    """Align images, joints and actions to the control rate.

    The rule: steps lie 1/rate_hz apart, the first at the first executed action. A step's image and joints are
    those that `theia_core.alignment.align` names, its action is the executed one nearest to it and at most
    half a step away. Where there is none the guard held the arm. Steps more than half a step before the first
    or after the last image are left out.

    Args:
        episode: the episode.
        rate_hz: control rate.
        joint_names: the joints to give, in this order; by default what a policy of the robot is told.

    Raises:
        TheiaError: if images, joints, actions or one of the joints are missing, or no action meets the
            images.
    """
    half_s = 0.5 / rate_hz + _SAME_TIME_S
    frames = [encoded for _, encoded in episode.messages(episode.image_topic)]
    frames.sort(key=stamp_s)
    frame_stamps_s = np.array([stamp_s(frame) for frame in frames])
    actions = episode.actions()
    joints = episode.joints()
    if joint_names is None:
        joint_names = STATE_NAMES if joints.names == STATE_NAMES else OBSERVED_JOINTS
    if absent := [name for name in joint_names if name not in joints.names]:
        raise TheiaError(f"{episode.path} has no joint {', '.join(absent)}; it has {', '.join(joints.names)}")

    count = round((actions.stamps_s[-1] - actions.stamps_s[0]) * rate_hz) + 1
    steps_s = actions.stamps_s[0] + np.arange(count) / rate_hz
    seen = (steps_s >= frame_stamps_s[0] - half_s) & (steps_s <= frame_stamps_s[-1] + half_s)
    if not seen.any():
        raise TheiaError(f"{episode.path}: no action was executed while the camera gave images")
    steps_s = steps_s[seen]

    observed = [align(frame_stamps_s, joints.stamps_s, time_s) for time_s in steps_s]
    frame_index, joint_rows = map(list, zip(*observed, strict=True))
    columns = [joints.names.index(name) for name in joint_names]
    targets, held = _actions_at(steps_s, actions, half_s)
    return ControlSteps(
        stamps_s=steps_s,
        images=LazyImages([frames[index] for index in frame_index]),
        image_stamps_s=frame_stamps_s[frame_index],
        joints=joints.positions[joint_rows][:, columns].astype(np.float32),
        joint_stamps_s=joints.stamps_s[joint_rows],
        actions=targets,
        held=held,
        action_space=actions.action_space,
    )


def _actions_at(steps_s: np.ndarray, series: ActionSeries, half_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Action (T, D) of each step and whether the arm was held (T,)."""
    nearest = [nearest_index(series.stamps_s, time_s) for time_s in steps_s]
    held = np.abs(series.stamps_s[nearest] - steps_s) > half_s
    targets = series.actions[nearest].copy()
    for step in np.flatnonzero(held):
        before = np.searchsorted(series.stamps_s, steps_s[step], side="right") - 1
        last = series.actions[max(before, 0)]
        targets[step, :-1] = 0.0 if series.action_space == EE_DELTA.name else last[:-1]
        targets[step, -1] = last[-1]
    return targets, held
