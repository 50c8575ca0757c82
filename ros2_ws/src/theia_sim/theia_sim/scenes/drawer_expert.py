"""The scripted expert of the drawer task: a smooth function of the present state, without memory or pauses.

It approaches the bar in a funnel (the nearer to the line of approach, the further forward), jaws open, closes
when the bar lies between them, and pulls while it holds; when the bar slips away the same rules lead back.
"""

import numpy as np
from scipy.spatial.transform import Rotation

from theia_core.actions.poses import Pose
from theia_core.actions.rotations import rotation_6d_from_matrix
from theia_core.tasks.drawer_script import CLEAR_M, HAND_TFORM_GRASP, OPEN, SHUT_M, STEP_M, STEP_RAD
from theia_sim.scenes.drawer import DrawerEnv

PULL_M = 0.040  # how far the commanded grip runs ahead of the bar
BACK_M = 0.12  # farthest before the bar while off the line of approach
LAST_M = 0.24  # the drawer is pulled no further
CLOSED, HELD = 0.22, 0.30  # gripper fractions: shut, on the bar or on nothing; still shutting
_FACING = np.eye(3)  # of the hand in the world: level, towards the drawer


class DrawerExpert:
    """Opens the drawer; see the module's text."""

    def act(self, env: DrawerEnv) -> np.ndarray:
        """Action (10,) float32 `ee_pose` for the next 0.2 s."""
        grasp = env.hand_pose("world") @ HAND_TFORM_GRASP
        bar_m = env.bar_m()
        if env.in_grip() and env.gripper_fraction() < HELD:
            ahead_m = np.clip(LAST_M - env.drawer_m, 0.0, PULL_M)
            shut = np.clip((HELD - env.gripper_fraction()) / (HELD - CLOSED), 0.0, 1.0)
            return _action(env, grasp, bar_m - np.array([shut * ahead_m, 0.0, 0.0]), 0.0)
        return _action(env, grasp, *_approach(env, grasp, bar_m))


def _approach(env: DrawerEnv, grasp: Pose, bar_m: np.ndarray) -> tuple[np.ndarray, float]:
    """Where the grasp point should go while the bar is not held, and how far the gripper should be open."""
    aim_m = bar_m + CLEAR_M
    off_m = grasp.position_m - aim_m
    turn_rad = float(np.linalg.norm(_turn(grasp.rotation)))
    beside_m = max(abs(float(off_m[1])) - 0.02, 0.0)  # anywhere near the bar's middle will do
    height_m = abs(float(off_m[2]))
    fraction = env.gripper_fraction()
    shutting = fraction < OPEN - 0.15
    slack = 1.6 if shutting else 1.0  # what has begun to close goes on closing
    between = abs(off_m[0]) < 0.014 * slack and height_m < 0.012 * slack and beside_m < 0.03 * slack
    if between and turn_rad < 0.12 * slack and (fraction > 0.06 or env.holding()):
        return bar_m + (SHUT_M if shutting else CLEAR_M), 0.0
    error_m = height_m + beside_m + 0.1 * max(turn_rad - 0.05, 0.0)
    back_m = float(np.clip(6.0 * (error_m - 0.008), 0.0, BACK_M))
    if shutting:  # closed jaws have to open before they go near
        opened = np.clip((OPEN - fraction) / 0.15, 0.0, 1.0)
        back_m = max(back_m, 0.10 * float(opened))
    return aim_m - np.array([back_m, 0.0, 0.0]), OPEN


def _turn(rotation: np.ndarray) -> np.ndarray:
    """Rotation vector (3,) in the world that is left until the hand is level and faces the drawer."""
    return Rotation.from_matrix(_FACING @ rotation.T).as_rotvec()


def _action(env: DrawerEnv, grasp: Pose, target_m: np.ndarray, gripper: float) -> np.ndarray:
    """A step of the grasp point towards `target_m` (3,) in the world, as a pose of the hand in the root."""
    way_m = target_m - grasp.position_m
    way_m = way_m * min(1.0, STEP_M / max(float(np.linalg.norm(way_m)), 1e-9))
    turn_rad = _turn(grasp.rotation)
    turn_rad = turn_rad * min(1.0, STEP_RAD / max(float(np.linalg.norm(turn_rad)), 1e-9))
    rotation = Rotation.from_rotvec(turn_rad).as_matrix() @ grasp.rotation
    hand = Pose(grasp.position_m + way_m, rotation) @ HAND_TFORM_GRASP.inverse()
    in_root = env.root.inverse() @ hand
    return np.concatenate([in_root.position_m, rotation_6d_from_matrix(in_root.rotation), [gripper]]).astype(
        np.float32
    )
