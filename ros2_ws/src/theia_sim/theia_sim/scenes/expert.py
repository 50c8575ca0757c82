"""The scripted expert of the door task: a smooth function of the present state, without memory or pauses.

Experts that stop and go are hard to clone: at a pause the picture does not say what comes next. This one
approaches the bar in a funnel (the nearer to the approach line, the further forward), closes when the bar
lies between the pads, and pulls along the door's arc while it holds; when the bar slips away the same rules
lead back to it.
"""

import numpy as np

from theia_core.actions.rotations import euler_from_matrix, matrix_from_euler
from theia_sim.scenes.door import DoorEnv

PITCH_RAD = 0.8  # the hand points down this much: at 0 the wrist is singular
SPEED_M = 0.018  # largest step of the end effector in 0.2 s
LOOK_AHEAD_RAD = 0.25  # along the door's arc while pulling
LAST_RAD = 1.5  # the door is pulled no further
CLOSED_FINGER_M = 0.024  # below this the fingers are closed, with or without the bar


class DoorExpert:
    """Opens the fridge; see the module's text."""

    def act(self, env: DoorEnv) -> np.ndarray:
        """Action (7,) float32 `ee_delta` for the next 0.2 s."""
        position_m, rotation = env.tcp()
        yaw_rad = np.arctan2(position_m[1], position_m[0]) + 0.2 * env.door_angle_rad
        wanted = matrix_from_euler(np.array([0.0, PITCH_RAD, yaw_rad]))
        turn_rad = euler_from_matrix(wanted @ rotation.T)
        if env.holding():
            target_m = env.bar_position(min(env.door_angle_rad + LOOK_AHEAD_RAD, LAST_RAD))
            gripper = 0.0
        else:
            target_m, gripper = self._approach(env, position_m, rotation, turn_rad)
        way_m = target_m - position_m
        distance_m = float(np.linalg.norm(way_m))
        step_m = way_m * min(0.7, SPEED_M / max(distance_m, 1e-9))
        return np.concatenate([step_m, np.clip(0.5 * turn_rad, -0.15, 0.15), [gripper]]).astype(np.float32)

    @staticmethod
    def _approach(
        env: DoorEnv, position_m: np.ndarray, rotation: np.ndarray, turn_rad: np.ndarray
    ) -> tuple[np.ndarray, float]:
        """Where to go while the bar is not held, and whether the gripper is open (1) or closed (0)."""
        bar_m = env.bar_position()
        forward = rotation[:, 0]
        relative_m = position_m - bar_m
        along_m = float(relative_m @ forward)
        aside_m = relative_m - along_m * forward
        error_m = float(np.linalg.norm(aside_m))
        between_pads = (
            abs(float(aside_m @ rotation[:, 1])) < 0.009 and error_m < 0.025 and abs(along_m) < 0.014
        )
        if between_pads:
            return bar_m, 0.0
        back_m = np.clip(3.0 * (error_m - 0.004) + 0.12 * (np.linalg.norm(turn_rad) - 0.1), 0.0, 0.07)
        if env.finger_m() < CLOSED_FINGER_M:  # a miss: open before going near again
            back_m = max(back_m, 0.05)
        return bar_m - float(back_m) * forward, 1.0
