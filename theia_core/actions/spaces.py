"""Action spaces: what the numbers of one action mean, and the pose that a delta leads to."""

from dataclasses import dataclass

import numpy as np

from theia_core.actions.rotations import (
    euler_from_matrix,
    matrix_from_euler,
    matrix_from_rotation_6d,
    rotation_6d_from_matrix,
)


@dataclass(frozen=True)
class ActionSpace:
    """Name and layout of one action vector."""

    name: str
    labels: tuple[str, ...]

    @property
    def dim(self) -> int:
        """Length of an action vector."""
        return len(self.labels)


EE_DELTA = ActionSpace("ee_delta", ("dx_m", "dy_m", "dz_m", "drx_rad", "dry_rad", "drz_rad", "gripper"))
"""Per step change of the end-effector setpoint in base_link; gripper 1 = open, 0 = closed (paper D.3)."""

EE_POSE = ActionSpace(
    "ee_pose",
    ("x_m", "y_m", "z_m", "r00", "r10", "r20", "r01", "r11", "r21", "gripper"),
)
"""Absolute pose: position, first two columns of the rotation matrix, gripper; for the diffusion policy."""

ACTION_SPACES = {space.name: space for space in (EE_DELTA, EE_POSE)}


def clip_delta(action: np.ndarray, max_step_m: float, max_step_rad: float) -> np.ndarray:
    """Clip an `ee_delta` action (7,) per axis to the largest allowed step, and its gripper value to 0..1."""
    low = np.array([-max_step_m] * 3 + [-max_step_rad] * 3 + [0.0])
    high = np.array([max_step_m] * 3 + [max_step_rad] * 3 + [1.0])
    return np.clip(action, low, high)


def apply_delta(
    position_m: np.ndarray, rotation: np.ndarray, action: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Setpoint after one `ee_delta` action: p' = p + dp, R' = R(d) R, rotating about the base axes.

    Args:
        position_m: (3,) setpoint position in base_link [m].
        rotation: (3, 3) setpoint orientation in base_link.
        action: (7,) `ee_delta` action.

    Returns:
        The next position (3,) and rotation (3, 3).
    """
    return position_m + action[:3], matrix_from_euler(action[3:6]) @ rotation


def disturbed(action: np.ndarray, shift_m: np.ndarray, turn_rad: np.ndarray) -> np.ndarray:
    """An action (7,) `ee_delta` or (10,) `ee_pose` that leads elsewhere, by a shift (3,) and a turn (3,).

    The turn is in Euler angles about the axes of the frame that the action is in; the gripper stays.
    """
    other = np.array(action)
    other[:3] += shift_m
    if len(other) == EE_POSE.dim:
        rotation = matrix_from_rotation_6d(other[3:9].astype(float))
        other[3:9] = rotation_6d_from_matrix(matrix_from_euler(turn_rad) @ rotation)
    else:
        other[3:6] += turn_rad
    return other


def motion(actions: np.ndarray) -> np.ndarray:
    """What each of some actions moves the hand by: shifts [m] and Euler angles [rad], (T, 6).

    Args:
        actions: (T, 7) `ee_delta` or (T, 10) `ee_pose` actions one step apart; a pose moves the hand from the
            one before, the first one not at all.
    """
    if actions.shape[1] != EE_POSE.dim:
        return actions[:, :6]
    rotations = matrix_from_rotation_6d(actions[:, 3:9].astype(float))
    moved = np.zeros((len(actions), 6))
    moved[1:, :3] = np.diff(actions[:, :3], axis=0)
    moved[1:, 3:] = euler_from_matrix(rotations[1:] @ rotations[:-1].transpose(0, 2, 1))
    return moved
