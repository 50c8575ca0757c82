"""From what an operator does to `ee_delta` actions: integrated deflections, or the motion of a held pose."""

from collections.abc import Sequence

import numpy as np

from theia_core.actions.rotations import euler_from_matrix, matrix_from_euler
from theia_core.actions.spaces import clip_delta
from theia_core.teleop.controls import MOTIONS, ButtonPresses, Controls

GRIPPER_RAMP_S = 0.4  # from open to closed
SILENT_S = 0.3  # controls that say nothing for so long count as let go


class Teleoperation:
    """One operator. Nothing moves unless the clutch is held; times are monotonic seconds.

    Two sources move the hand, both as differences since the last action, so that engaging the clutch never
    makes the arm jump:

    - deflections of sticks (`on_joy`), integrated over time;
    - a pose that the operator carries (`on_pose`): a tracked controller, or the hand of a leader arm. Where
      it is when the clutch is engaged is the new reference.
    """

    def __init__(
        self, controls: Controls, max_step_m: float, max_step_rad: float, scale: float = 1.0
    ) -> None:
        """Begin with the clutch released and the gripper open.

        Args:
            controls: what axes and buttons mean.
            max_step_m: largest step of an action, per axis.
            max_step_rad: likewise.
            scale: motion of our hand for a motion of the carried pose; its turns are never scaled.
        """
        self._controls, self._scale = controls, scale
        self._max_step_m, self._max_step_rad = max_step_m, max_step_rad
        self._presses = ButtonPresses(controls)
        self._speed = len(controls.speeds) // 2
        self._engaged, self._heard_s = False, -np.inf
        self._velocity = np.zeros(6)
        self._moved, self._moved_until_s = np.zeros(6), -np.inf
        self._pose: tuple[np.ndarray, np.ndarray] | None = None
        self._reference: tuple[np.ndarray, np.ndarray] | None = None
        self._gripper_goal = self._gripper = 1.0

    def take_gripper(self, value: float) -> None:
        """Begin with the gripper where it is, 1 open, 0 closed; only while nothing was asked of it."""
        self._gripper, self._gripper_goal = value, float(value > 0.5)

    @property
    def speed(self) -> float:
        """Present factor on the speeds of the controls."""
        return self._controls.speeds[self._speed]

    @property
    def gripper_goal(self) -> float:
        """Where the gripper is on its way to: 1 open, 0 closed."""
        return self._gripper_goal

    def is_engaged(self, now_s: float) -> bool:
        """Whether the clutch is held and the controls are still heard of."""
        return self._engaged and now_s - self._heard_s <= SILENT_S

    def on_joy(self, axes: Sequence[float], buttons: Sequence[int], now_s: float) -> list[str]:
        """Take the state of axes and buttons; returns the names of the buttons that were just pressed."""
        self._integrate(now_s)
        was_engaged = self.is_engaged(now_s)
        self._heard_s, self._engaged = now_s, self._controls.is_down("clutch", buttons)
        pressed = self._presses.pressed(buttons)
        if "faster" in pressed:
            self._speed = min(self._speed + 1, len(self._controls.speeds) - 1)
        if "slower" in pressed:
            self._speed = max(self._speed - 1, 0)
        deflections = np.array([self._controls.deflection(name, axes) for name in MOTIONS])
        if not np.all(np.isfinite(deflections)):
            deflections, self._engaged = np.zeros(6), False  # a broken driver is a released clutch
        speeds = np.repeat([self._controls.speed_m_s, self._controls.speed_rad_s], 3)
        self._velocity = self.speed * speeds * deflections
        if self._engaged and not was_engaged:
            self._moved[:], self._moved_until_s = 0.0, now_s
            self._reference = self._pose
        if self._engaged:
            self._grip(pressed, axes)
        return pressed

    def on_pose(self, position_m: np.ndarray, rotation: np.ndarray, gripper: float | None = None) -> None:
        """Take where the carried pose is, in axes that are parallel to base_link's.

        Args:
            position_m: (3,).
            rotation: (3, 3).
            gripper: 1 open, 0 closed, if the carried thing has a gripper.
        """
        self._pose = np.array(position_m, float), np.array(rotation, float)
        if gripper is not None and self._engaged:
            self._gripper_goal = float(gripper > 0.5)

    def action(self, now_s: float, step_s: float) -> np.ndarray | None:
        """The action (7,) float32 of the coming control step; None while the clutch is released.

        It is what was asked for since the last action, clipped to the largest step. What was clipped off is
        dropped and not made up for later.
        """
        self._integrate(now_s)
        moved, self._moved = self._moved, np.zeros(6)
        carried = self._carried()
        if not self.is_engaged(now_s):
            return None
        ramp = step_s / GRIPPER_RAMP_S
        self._gripper += float(np.clip(self._gripper_goal - self._gripper, -ramp, ramp))
        action = np.append(moved + carried, self._gripper)
        return clip_delta(action, self._max_step_m, self._max_step_rad).astype(np.float32)

    def _integrate(self, now_s: float) -> None:
        """Add the motion since the last call, at the velocity that has held since then."""
        until_s = min(now_s, self._heard_s + SILENT_S)
        if self._engaged and until_s > self._moved_until_s:
            self._moved += self._velocity * (until_s - self._moved_until_s)
        self._moved_until_s = now_s

    def _carried(self) -> np.ndarray:
        """Motion (6,) of the carried pose since the reference, which then moves along."""
        if self._pose is None or self._reference is None:
            self._reference = self._pose
            return np.zeros(6)
        (position_m, rotation), (from_m, from_rotation) = self._pose, self._reference
        self._reference = self._pose
        turn = euler_from_matrix(rotation @ from_rotation.T)
        return np.concatenate([self._scale * (position_m - from_m), turn])

    def _grip(self, pressed: Sequence[str], axes: Sequence[float]) -> None:
        if "open" in pressed or "close" in pressed:
            self._gripper_goal = float("open" in pressed)
        elif "gripper" in pressed:
            self._gripper_goal = 1.0 - self._gripper_goal
        elif (axis := self._controls.gripper_axis) is not None and axis.index < len(axes):
            self._gripper_goal = float(axis.scale * axes[axis.index] <= 0.5)


def turned_about_z(
    position_m: np.ndarray, rotation: np.ndarray, yaw_rad: float
) -> tuple[np.ndarray, np.ndarray]:
    """A pose in axes that are turned about z, as those of a tracking system against the arm's."""
    turn = matrix_from_euler(np.array([0.0, 0.0, yaw_rad]))
    return turn @ position_m, turn @ rotation
