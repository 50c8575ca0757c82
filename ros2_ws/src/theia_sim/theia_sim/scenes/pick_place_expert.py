"""The scripted expert of the pick-and-place task: a smooth function of the present state, without memory.

It approaches the cup's rim in a funnel on its left side, one finger inside the cup and one
outside, closes on the wall, lifts before it goes across, lowers as it comes over the rack, and lets go of a
cup that stands low in the rack. When the cup slips away the same rules lead back to it.
"""

import numpy as np

from theia_core.actions.rotations import euler_from_matrix, matrix_from_euler
from theia_core.tasks.pick_place import UPRIGHT_RAD
from theia_sim.scenes import cup, rack, sink
from theia_sim.scenes.pick_place import PickPlaceEnv, tilt_rad

PITCH_RAD = 1.35  # the hand points down this much
SPEED_M = 0.020  # largest step of the end effector in 0.2 s
GRIP_HEIGHT_M = 0.004  # of the tool centre point over the rim; the fingertips are 17 mm lower, at the handle
CLEAR_M = 0.085  # of the cup's foot over the worktop on its way: over the sink's edge and the rack's rail
ACROSS_M = 0.050  # further across is no more urgent than this, so that height is kept on the way
LET_GO_M = 0.006  # of the cup's foot over the rack's floor
LOW_M = 0.015  # a cup is not in the rack whose foot is higher over its floor
WITHIN_M = 0.030  # from the middle of the rack when the cup is let go
OPEN_FINGER_M = 0.032  # above this the fingers are clear of the wall
SHUT_FINGER_M = 0.019  # below this they are shut, on the wall or on nothing
REST_M = 0.26  # height to which the hand withdraws
_PADS = {"left_pad", "right_pad"}


class PickPlaceExpert:
    """Puts the cup into the rack; see the module's text."""

    def act(self, env: PickPlaceEnv) -> np.ndarray:
        """Action (7,) float32 `ee_delta` for the next 0.2 s."""
        touches = env.cup_touches()
        if _stands_in_rack(env, touches):
            return _let_go(env)
        held = touches >= _PADS and env.finger_m() < OPEN_FINGER_M
        return _carry(env) if held else _reach(env)


def _reach(env: PickPlaceEnv) -> np.ndarray:
    """Approach the rim, the nearer to the line of approach the further down, and close on it."""
    position_m, rotation = env.tcp()
    target_m, yaw_rad = _grasp_point(env)
    forward, turn_rad = rotation[:, 0], _turn(rotation, yaw_rad)
    relative_m = position_m - target_m
    along_m = float(relative_m @ forward)
    aside_m = relative_m - along_m * forward
    across_m, upright_m = abs(float(aside_m @ rotation[:, 1])), abs(float(aside_m @ rotation[:, 2]))
    turn = float(np.linalg.norm(turn_rad))
    slack = 1.0 if env.finger_m() > OPEN_FINGER_M else 1.5  # what has begun to close goes on closing
    between_m = 0.011 * slack if env.finger_m() > SHUT_FINGER_M else 0.006
    near = upright_m < 0.014 * slack and -0.009 * slack < along_m < 0.016 * slack
    if across_m < between_m and near and turn < 0.25:
        return _action(env, target_m - position_m, yaw_rad, 0.0)
    error_m = float(np.linalg.norm(aside_m))
    back_m = float(np.clip(2.5 * (error_m - 0.007) + 0.12 * (turn - 0.1), 0.0, 0.065))
    if env.finger_m() < OPEN_FINGER_M:  # a miss: open before going near again
        back_m = max(back_m, 0.035)
    low_m = along_m + back_m  # deeper than the funnel allows: up first, or a finger pushes the wall
    way_m = (-back_m - along_m) * forward - aside_m * np.clip(1.0 - low_m / 0.03, 0.1, 1.0)
    return _action(env, way_m, yaw_rad, 1.0)


def _carry(env: PickPlaceEnv) -> np.ndarray:
    """Lift the held cup, off the sink's walls at once, then across to the rack and down into it."""
    foot_m, _ = env.cup_pose()
    goal_m = env.rack_m + np.array([0.0, 0.0, rack.FLOOR_M])
    across_m = goal_m[:2] - foot_m[:2]
    distance_m = float(np.linalg.norm(across_m))
    across_m = across_m * (2.0, 1.0)  # before the plates in time
    across_m *= min(1.0, ACROSS_M / max(float(np.linalg.norm(across_m)), 1e-9))
    clear_m = sink.COUNTER_M + CLEAR_M
    height_m = float(np.clip(goal_m[2] + 2.5 * (distance_m - 0.012), goal_m[2], clear_m))
    too_low_m = height_m - foot_m[2]
    share = float(np.clip(1.0 - (too_low_m - 0.01) / 0.04, 0.0, 1.0))
    in_sink = float(np.clip((sink.COUNTER_M + 0.02 - foot_m[2]) / 0.02, 0.0, 1.0))
    way_m = share * across_m + (1.0 - share) * in_sink * (env.sink_m - foot_m[:2])
    position_m, _ = env.tcp()
    yaw_rad = float(np.arctan2(position_m[1], position_m[0]))
    return _action(env, np.array([*way_m, too_low_m]), yaw_rad, 0.0)


def _let_go(env: PickPlaceEnv) -> np.ndarray:
    """Open the fingers, and withdraw upwards as far as they are open."""
    position_m, _ = env.tcp()
    opened = np.clip((env.finger_m() - 0.020) / (OPEN_FINGER_M - 0.020), 0.0, 1.0)
    yaw_rad = float(np.arctan2(position_m[1], position_m[0]))
    return _action(env, np.array([0.0, 0.0, opened * (REST_M - position_m[2])]), yaw_rad, 1.0)


def _stands_in_rack(env: PickPlaceEnv, touches: set[str]) -> bool:
    """Whether the cup is low in the rack, near enough to its middle."""
    foot_m, rotation = env.cup_pose()
    relative_m = foot_m - env.rack_m
    if tilt_rad(rotation) > UPRIGHT_RAD or relative_m[2] > rack.FLOOR_M + LOW_M:
        return False
    if not touches & _PADS:
        return rack.inside(env.rack_m, foot_m)
    low = "rack_floor" in touches or relative_m[2] < rack.FLOOR_M + LET_GO_M
    return bool(low and np.linalg.norm(relative_m[:2]) < WITHIN_M)


def _grasp_point(env: PickPlaceEnv) -> tuple[np.ndarray, float]:
    """Where the tool centre point grasps the rim (3,), and the yaw of a hand whose fingers close across it.

    Always on the left, seen from the arm: there the wall can be gripped over the handle too, and a side
    that depends on the handle would make a policy that cannot tell it apart go for the middle between both.
    """
    foot_m, rotation = env.cup_pose()
    middle_m = foot_m + (cup.HEIGHT_M + GRIP_HEIGHT_M) * rotation[:, 2]
    yaw_rad = float(np.arctan2(middle_m[1], middle_m[0]))
    left = np.array([-np.sin(yaw_rad), np.cos(yaw_rad), 0.0])
    return middle_m + cup.RADIUS_M * left, yaw_rad


def _action(env: PickPlaceEnv, way_m: np.ndarray, yaw_rad: float, gripper: float) -> np.ndarray:
    """A step along `way_m` (3,), and a turn towards the hand's pitch and `yaw_rad`."""
    _, rotation = env.tcp()
    step_m = way_m * min(0.5, SPEED_M / max(float(np.linalg.norm(way_m)), 1e-9))
    turn_rad = np.clip(0.5 * _turn(rotation, yaw_rad), -0.15, 0.15)
    return np.concatenate([step_m, turn_rad, [gripper]]).astype(np.float32)


def _turn(rotation: np.ndarray, yaw_rad: float) -> np.ndarray:
    """Rotation (3,) about the base axes that is left to the hand's pitch and `yaw_rad`."""
    return euler_from_matrix(matrix_from_euler(np.array([0.0, PITCH_RAD, yaw_rad])) @ rotation.T)
