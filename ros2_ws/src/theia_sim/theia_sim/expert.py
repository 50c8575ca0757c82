"""Scripted expert for the door: one smooth function of what can be seen now, without phases or memory.

The hand is drawn to the bar down a funnel: the farther it is off the line of approach, the farther before the
bar it stays. The fingers close while the bar is between them, and the pull along the door's arc sets in as
they close on it. Every miss or slip is therefore just another starting point.
"""

import numpy as np

from theia_core.actions.rotations import euler_from_matrix, matrix_from_euler
from theia_sim.door_env import DoorEnv
from theia_sim.fridge import BAR_HALF_LENGTH_M, BAR_RADIUS_M

PITCH_RAD = 0.75
_YAW_SHARE = 0.35
_STEP_M, _PULL_M = 0.028, 0.026
_LEAD_RAD, _STOP_RAD = 0.13, 1.5
_GAIN, _TURN_GAIN, _MAX_TURN_RAD = 0.6, 0.45, 0.2


class DoorExpert:
    """Opens the fridge; `act` is a function of the environment's present state alone."""

    def act(self, env: DoorEnv) -> np.ndarray:
        """The `ee_delta` action (7,) float32 for the next 0.2 s."""
        angle = env.door_angle_rad
        position, rotation = env.tool_pose()
        bar = env.bar_in_base(angle)
        wanted = _orientation(bar, angle)
        turn = euler_from_matrix(wanted @ rotation.T)
        approach, side = wanted[:, 0], wanted[:, 1]
        off = position - bar
        along, across = float(off @ approach), float(off @ side)
        off_across = off - along * approach
        height = float(off_across[2])
        # how well the bar is enclosed: 1 between the pads, falling to 0 at their edges
        enclosed = (
            _fade(abs(across), 0.010, 0.018)
            * _fade(abs(along), 0.012, 0.022)
            * _fade(abs(height), 0.03, BAR_HALF_LENGTH_M)
        )
        gripped = enclosed * _fade(abs(env.half_gap_m - BAR_RADIUS_M), 0.0025, 0.008)
        closed_on_nothing = 1 - _fade(BAR_RADIUS_M - env.half_gap_m, 0.0025, 0.004)
        gripped *= 1 - closed_on_nothing

        missed = np.hypot(across, 0.5 * height)
        back = 4.0 * max(missed - 0.004, 0.0) + 0.15 * max(np.linalg.norm(turn) - 0.12, 0.0)
        half_open = _fade(env.finger_m, 0.026, 0.034) * (1 - enclosed)
        back = min(back + 0.06 * max(half_open, closed_on_nothing), 0.09)
        reach = bar - back * approach - position
        reach = reach * min(_GAIN, _STEP_M / max(float(np.linalg.norm(reach)), 1e-9))

        ahead = min(angle + _LEAD_RAD, max(_STOP_RAD, angle))
        pull = env.bar_in_base(ahead) - bar
        step = (1 - gripped) * reach + gripped * pull
        spin = np.clip(_TURN_GAIN * turn, -_MAX_TURN_RAD, _MAX_TURN_RAD)
        close = enclosed > 0.5 and closed_on_nothing < 0.5
        return np.array([*step, *spin, 0.0 if close else 1.0], dtype=np.float32)


def _orientation(bar: np.ndarray, angle_rad: float) -> np.ndarray:
    """Hand orientation (3, 3): pitched down, turned from the arm towards the bar partly after the door."""
    yaw = np.arctan2(bar[1], bar[0]) + _YAW_SHARE * angle_rad
    return matrix_from_euler(np.array([0.0, PITCH_RAD, yaw]))


def _fade(value: float, full: float, none: float) -> float:
    """1 below `full`, 0 above `none`, smooth in between."""
    x = np.clip((none - value) / (none - full), 0.0, 1.0)
    return float(x * x * (3 - 2 * x))
