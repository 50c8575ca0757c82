"""Opening and closing the drawer as scripts: hand poses from where the handle is, without looking.

A robot that sees the fiducial on the cabinet knows where the shut drawer's handle is, and a script does the
rest. The paper's demonstrations and resets are of this kind. Scripts are lists of goals, one a control step,
for `HandGuard` or a robot's trajectories; they know neither.
"""

from collections.abc import Sequence

import numpy as np

from theia_core.actions.hand_filter import HandGoal
from theia_core.actions.poses import Pose

HAND_TFORM_GRASP = Pose(np.array([0.00443, 0.0, -0.026]))
"""From the robot's frame "hand" to the point where the jaws hold a bar best."""

FIDUCIAL_TFORM_BAR = Pose(
    np.array([0.152, 0.205, 0.052]), np.array([[0.0, -1.0, 0.0], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]])
)
"""The shut drawer's bar seen from the tag (x right, y up, z out of its plate) on the simulated cabinet.

On another cabinet it is measured once.
"""

STEP_M, STEP_RAD, STEP_GRIPPER = 0.045, 0.20, 0.5  # of one control step of 0.2 s
OPEN = 0.60  # of the gripper: a gap of 9 cm
# The grasp point against the bar, in the bar's frame. Below it on the way in and out, so that the lower jaw
# clears it, and a little before it, so that the finger clears the drawer's face.
CLEAR_M, SHUT_M = np.array([-0.006, 0.0, -0.013]), np.array([-0.006, 0.0, -0.003])
_BEFORE_M = 0.13
_PULL_STEP_M = 0.03
_FIST_M = 0.046  # from the grasp point to a bar that the closed jaws push
_PUSHED_ON_M = 0.012  # beyond where the shut drawer's bar is: the arm gives way


def opening(start: HandGoal, bar: Pose, out_m: float = 0.20) -> list[HandGoal]:
    """Goals that open the drawer from anywhere before it, let go and step back.

    Args:
        start: where the hand is, in the root frame.
        bar: pose of the middle of the shut drawer's handle in the root frame; x into the drawer, y along the
            bar to the left, z up.
        out_m: how far to pull.
    """
    before = _at(bar, CLEAR_M - [_BEFORE_M, 0, 0], OPEN)
    goals = paced(start, [before, _at(bar, CLEAR_M, OPEN)])
    goals += [_at(bar, SHUT_M, 0.0)] * 3
    pulls = np.arange(_PULL_STEP_M, out_m + 1e-9, _PULL_STEP_M)
    goals += [_at(bar, SHUT_M - [pulled_m, 0, 0], 0.0) for pulled_m in (*pulls, out_m)]
    return goals + _let_go(bar, out_m)


def closing(start: HandGoal, bar: Pose, out_m: float = 0.32) -> list[HandGoal]:
    """Goals that shut the drawer with the closed jaws, from before it, and step back.

    Args:
        start: where the hand is, in the root frame, not holding the bar.
        bar: pose of the middle of the shut drawer's handle, as for `opening`.
        out_m: how far the drawer is out at most.
    """
    height = np.array([0.0, 0.0, 0.005])
    before = _at(bar, height - [out_m + _FIST_M + 0.03, 0, 0], 0.0)
    shut = _at(bar, height + np.array([_PUSHED_ON_M - _FIST_M, 0, 0]), 0.0)
    goals = paced(start, [HandGoal(start.pose, 0.0), before, shut])
    back = _at(bar, height - [_FIST_M + _BEFORE_M, 0, 0], 0.0)
    return [*goals, shut, *paced(shut, [back])]


def paced(start: HandGoal, waypoints: Sequence[HandGoal]) -> list[HandGoal]:
    """Goals from waypoint to waypoint, none farther from the one before than a control step allows."""
    goals, here = [], start
    for waypoint in waypoints:
        apart_m, apart_rad = here.pose.distance_to(waypoint.pose)
        steps = max(
            apart_m / STEP_M, apart_rad / STEP_RAD, abs(waypoint.gripper - here.gripper) / STEP_GRIPPER, 1.0
        )
        count = int(np.ceil(steps - 1e-9))
        goals += [here.towards(waypoint, (i + 1) / count) for i in range(count)]
        here = waypoint
    return goals


def _let_go(bar: Pose, out_m: float) -> list[HandGoal]:
    """Open the jaws, lower the hand, lest the jaw hooks the bar, and step back."""
    held = _at(bar, SHUT_M - [out_m, 0, 0], 0.0)
    lowered = _at(bar, CLEAR_M - [out_m, 0, 0.005], OPEN)
    return paced(
        held, [HandGoal(held.pose, OPEN), lowered, _at(bar, CLEAR_M - [out_m + _BEFORE_M, 0, 0], OPEN)]
    )


def _at(bar: Pose, grasp_m: np.ndarray, gripper: float) -> HandGoal:
    """The hand with its grasp point at a place (3,) in the bar's frame, level and facing the drawer."""
    return HandGoal(bar @ Pose(np.asarray(grasp_m, dtype=float)) @ HAND_TFORM_GRASP.inverse(), gripper)
