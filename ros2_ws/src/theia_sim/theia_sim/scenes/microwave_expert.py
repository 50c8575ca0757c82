"""The scripted expert of the microwave task: a smooth function of the present state, without memory.

What is the case decides what comes next: food that is neither held nor in the microwave is reached for, held
food is carried along a path into the microwave and let go there, and then the hand goes out, over the open
door, and pushes it shut. A disturbed hand comes back to its path, and food that was dropped is fetched again,
by the same rules.
"""

import numpy as np

from theia_core.actions.rotations import euler_from_matrix, matrix_from_euler
from theia_sim.scenes import oven, stove
from theia_sim.scenes.foods import FOODS
from theia_sim.scenes.microwave import MicrowaveEnv
from theia_sim.scenes.paths import HandPath

GRASP_PITCH_RAD = 1.25  # the hand points down this much over the pot
ENTER_PITCH_RAD = 0.68  # and this much in the microwave: as flat as keeps the wrist away from its singularity
PUSH_PITCH_RAD = 1.15
SPEED_M = 0.022  # largest step of the end effector in 0.2 s
AHEAD_M = 0.045  # how far ahead on a path the hand aims
PAD_CLEARANCE_M = 0.023  # from the tool centre point down to the pads' lowest corner, and a little more
# The fingers close when the tool centre point is this near to the food: across the hand, upright in it, along
# it. They open to 74 mm for food of 30 mm; to ask for more than that takes would teach a policy to hover.
CLOSE_ACROSS_M, CLOSE_UPRIGHT_M, CLOSE_ALONG_M = 0.014, 0.012, 0.013
EMPTY_FINGER_M = 0.0205  # below this the fingers hold nothing
LEFT_IN_M = {True: 0.022, False: 0.038}  # round and long food this far behind the opening may stay there
LET_GO_M = 0.045  # food this far behind the opening is let go
PUSH_RADIUS_M = 0.155  # from the hinge to where the door is pushed
LOOK_AHEAD_RAD = 0.35  # along the door's arc while pushing
_CARRY_M = stove.COUNTER_M + 0.115
_OVER_DOOR_M = oven.HEIGHT_M + 0.042  # over the microwave's ground
_FINGERTIP_M = 0.012  # half the width of the closed pads
_PADS = {"left_pad", "right_pad"}


class MicrowaveExpert:
    """Cooks; see the module's text."""

    def act(self, env: MicrowaveEnv) -> np.ndarray:
        """Action (7,) float32 `ee_delta` for the next 0.2 s."""
        touches = env.food_touches() & {*_PADS, "oven_floor", "turntable"}
        food_m, _ = env.food_pose()
        left_in_m = LEFT_IN_M[FOODS[env.params.food].round]
        if oven.inside(env.oven_m, food_m, depth_m=left_in_m) and not touches & _PADS:
            return _close_door(env)
        if oven.inside(env.oven_m, food_m, depth_m=LET_GO_M) and _is_low(env, touches):
            return _let_go(env)
        return _carry(env) if touches >= _PADS else _reach(env)


def _reach(env: MicrowaveEnv) -> np.ndarray:
    """Approach the food in a funnel, the nearer to the line of approach the further down, and close on it."""
    position_m, rotation = env.tcp()
    food_m, food_rotation = env.food_pose()
    pitch_rad = ENTER_PITCH_RAD if oven.inside(env.oven_m, food_m, depth_m=-0.03) else GRASP_PITCH_RAD
    yaw_rad = _grasp_yaw(env, food_m, food_rotation, rotation)
    target_m = food_m.copy()
    target_m[2] = max(food_m[2], _ground_m(env, food_m) + PAD_CLEARANCE_M)
    forward, turn = rotation[:, 0], float(np.linalg.norm(_turn(rotation, pitch_rad, yaw_rad)))
    relative_m = position_m - target_m
    along_m = float(relative_m @ forward)
    aside_m = relative_m - along_m * forward
    across_m, upright_m = abs(float(aside_m @ rotation[:, 1])), abs(float(aside_m @ rotation[:, 2]))
    if (
        across_m < CLOSE_ACROSS_M
        and upright_m < CLOSE_UPRIGHT_M
        and abs(along_m) < CLOSE_ALONG_M
        and turn < 0.25
    ):
        return _action(env, target_m, pitch_rad, yaw_rad, 0.0)
    error_m = float(np.linalg.norm(aside_m))
    back_m = np.clip(2.0 * (error_m - 0.009) + 0.12 * (turn - 0.1), 0.0, 0.075)
    if env.finger_m() < EMPTY_FINGER_M:  # a miss: open before going near again
        back_m = max(back_m, 0.05)
    return _action(env, target_m - float(back_m) * forward, pitch_rad, yaw_rad, 1.0)


def _carry(env: MicrowaveEnv) -> np.ndarray:
    """Up out of the pot, before the microwave and into it, down to its floor."""
    pot_m, oven_m = np.array(env.params.pot_m), env.oven_m
    inside_m = oven_m + np.array([0.066, 0.0, oven.FLOOR_M])
    path = HandPath(
        (np.array([*pot_m, stove.POT_FLOOR_M + 0.02]), GRASP_PITCH_RAD),
        (np.array([*pot_m, _CARRY_M]), GRASP_PITCH_RAD),
        (oven_m + np.array([-0.11, -0.05, oven.FLOOR_M + 0.10]), 0.85),
        (oven_m + np.array([-0.05, -0.025, oven.FLOOR_M + 0.065]), ENTER_PITCH_RAD),
        (inside_m + np.array([0.0, 0.0, 0.040]), ENTER_PITCH_RAD),
        (inside_m + np.array([0.0, 0.0, 0.018]), ENTER_PITCH_RAD),
    )
    target_m, pitch_rad, _ = _follow(env, path)
    return _action(env, target_m, pitch_rad, None, 0.0)


def _let_go(env: MicrowaveEnv) -> np.ndarray:
    """Open the fingers and draw them back a little."""
    position_m, rotation = env.tcp()
    return _action(env, position_m - 0.006 * rotation[:, 0], ENTER_PITCH_RAD, None, 1.0)


def _close_door(env: MicrowaveEnv) -> np.ndarray:
    """Out of the microwave, over the door and down behind it, and push along the door's arc."""
    position_m, _ = env.tcp()
    oven_m, door_rad = env.oven_m, env.door_rad
    if door_rad < 0.03:
        return _action(env, oven_m + np.array([-0.10, -0.08, 0.14]), PUSH_PITCH_RAD, None, 0.0)
    hinge_m, along, normal = oven.door_frame(oven_m, door_rad)
    out_m, radius_m = float((position_m - hinge_m) @ normal), float((position_m - hinge_m) @ along)
    low = position_m[2] < oven_m[2] + oven.HEIGHT_M
    if low and out_m > 0.5 * oven.DOOR_FACE_M and 0.0 < radius_m < oven.DOOR_WIDTH_M + 0.02:
        return _push(env)
    over_m = hinge_m + PUSH_RADIUS_M * along
    over_m[2] = oven_m[2] + _OVER_DOOR_M
    behind_m = over_m + 0.075 * normal
    path = HandPath(
        (oven_m + np.array([0.066, 0.0, oven.FLOOR_M + 0.03]), ENTER_PITCH_RAD),
        (oven_m + np.array([-0.05, -0.02, oven.FLOOR_M + 0.065]), ENTER_PITCH_RAD),
        (oven_m + np.array([-0.10, -0.03, oven.FLOOR_M + 0.10]), 0.75),
        (over_m - 0.08 * normal, 0.85),
        (behind_m, 0.90),
        (behind_m - np.array([0.0, 0.0, 0.12]), PUSH_PITCH_RAD),
    )
    target_m, pitch_rad, waypoint = _follow(env, path)
    return _action(env, target_m, pitch_rad, None, float(waypoint < 2.2))


def _push(env: MicrowaveEnv) -> np.ndarray:
    """Push the door's outer face; away from it while the hand is not yet at the right place of it."""
    position_m, _ = env.tcp()
    hinge_m, along, normal = oven.door_frame(env.oven_m, env.door_rad)
    offset_m = position_m - hinge_m
    error_m = float(np.hypot(offset_m @ along - PUSH_RADIUS_M, offset_m[2]))
    back_m = float(np.clip(2.0 * (error_m - 0.02), 0.0, 0.07))
    ahead_rad = LOOK_AHEAD_RAD * (1.0 - back_m / 0.07)
    hinge_m, along, normal = oven.door_frame(env.oven_m, max(env.door_rad - ahead_rad, -0.06))
    target_m = hinge_m + PUSH_RADIUS_M * along + (oven.DOOR_FACE_M + _FINGERTIP_M + back_m) * normal
    if back_m > 0.03 and env.hand_at_door():  # it rests on the door's edge, or leans on it at the wrong place
        target_m[2] = position_m[2] + 0.02
    return _action(env, target_m, PUSH_PITCH_RAD, None, 0.0)


def _follow(env: MicrowaveEnv, path: HandPath) -> tuple[np.ndarray, float, float]:
    """Target (3,), pitch and waypoint ahead on a path; less far ahead while the hand has yet to turn."""
    position_m, rotation = env.tcp()
    nearest_m = path.nearest_m(position_m)
    turn_rad = _turn(rotation, path.at(nearest_m).pitch_rad, np.arctan2(position_m[1], position_m[0]))
    ahead_m = AHEAD_M * float(np.clip(1.4 - np.linalg.norm(turn_rad) / 0.4, 0.3, 1.0))
    ahead = path.at(nearest_m + ahead_m)
    return ahead.position_m, ahead.pitch_rad, ahead.waypoint


def _action(
    env: MicrowaveEnv, target_m: np.ndarray, pitch_rad: float, yaw_rad: float | None, gripper: float
) -> np.ndarray:
    """Step towards a pose; without a yaw the hand points straight away from the arm's base."""
    position_m, rotation = env.tcp()
    if yaw_rad is None:
        yaw_rad = float(np.arctan2(position_m[1], position_m[0]))
    way_m = target_m - position_m
    step_m = way_m * min(0.7, SPEED_M / max(float(np.linalg.norm(way_m)), 1e-9))
    turn_rad = np.clip(0.5 * _turn(rotation, pitch_rad, yaw_rad), -0.15, 0.15)
    return np.concatenate([step_m, turn_rad, [gripper]]).astype(np.float32)


def _turn(rotation: np.ndarray, pitch_rad: float, yaw_rad: float) -> np.ndarray:
    """Rotation (3,) about the base axes that is left to a hand that shall have this pitch and yaw."""
    return euler_from_matrix(matrix_from_euler(np.array([0.0, pitch_rad, yaw_rad])) @ rotation.T)


def _grasp_yaw(
    env: MicrowaveEnv, food_m: np.ndarray, food_rotation: np.ndarray, hand_rotation: np.ndarray
) -> float:
    """Yaw of the hand that lets the pads close across the food, of the two the one that is less of a turn."""
    straight_rad = float(np.arctan2(food_m[1], food_m[0]))
    if FOODS[env.params.food].round or abs(food_rotation[2, 0]) > 0.8:
        return straight_rad + _along_wall(env, food_m, straight_rad)
    long_rad = float(np.arctan2(food_rotation[1, 0], food_rotation[0, 0]))
    hand_rad = float(np.arctan2(-hand_rotation[0, 1], hand_rotation[1, 1]))
    centre_rad = 0.7 * straight_rad + 0.3 * hand_rad
    return centre_rad + (long_rad - centre_rad + np.pi / 2) % np.pi - np.pi / 2


def _along_wall(env: MicrowaveEnv, food_m: np.ndarray, straight_rad: float) -> float:
    """Turn of the hand that lets the pads pass between round food and the pot's wall that it lies at."""
    away_m = food_m[:2] - env.params.pot_m
    share = float(np.clip((np.hypot(*away_m) - 0.03) / 0.02, 0.0, 1.0))
    turn_rad = float(np.arctan2(away_m[1], away_m[0])) - straight_rad
    return share * ((turn_rad + np.pi / 2) % np.pi - np.pi / 2) if _in_pot(env, food_m) else 0.0


def _in_pot(env: MicrowaveEnv, food_m: np.ndarray) -> bool:
    return bool(np.hypot(*(food_m[:2] - env.params.pot_m)) < stove.POT_RADIUS_M)


def _ground_m(env: MicrowaveEnv, food_m: np.ndarray) -> float:
    """Height of what the food lies on or will fall on."""
    if oven.inside(env.oven_m, food_m):
        return float(env.oven_m[2]) + oven.FLOOR_M
    return stove.POT_FLOOR_M if _in_pot(env, food_m) else stove.COUNTER_M


def _is_low(env: MicrowaveEnv, touches: set[str]) -> bool:
    """Whether the held food is at the microwave's floor."""
    floor_m = float(env.oven_m[2]) + oven.FLOOR_M
    return bool(touches - _PADS) or float(env.tcp()[0][2]) < floor_m + PAD_CLEARANCE_M
