"""Action spaces: what the numbers of one action mean, and the pose that a delta leads to."""

from dataclasses import dataclass

import numpy as np

from theia_core.actions.rotations import matrix_from_euler


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
