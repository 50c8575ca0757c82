"""What a policy of Spot is told of the robot, and in which frame: one layout in simulation and on the robot.

The root frame of actions (`ee_pose`) and states is "start_body": gravity-aligned, fixed in the room, where
the body stood when the episode or trial began (x forward, y left, z up, origin between the hips). It does not
move with the base. So a policy meets poses around the same place from every start, and the picture tells
where the drawer is.
"""

import numpy as np

from theia_core.actions.poses import Pose
from theia_core.actions.rotations import rotation_6d_from_matrix

ROOT_FRAME = "start_body"

STATE_NAMES = (
    "arm0.sh0",
    "arm0.sh1",
    "arm0.el0",
    "arm0.el1",
    "arm0.wr0",
    "arm0.wr1",
    "gripper_fraction",
    "hand_x_m",
    "hand_y_m",
    "hand_z_m",
    "hand_r00",
    "hand_r10",
    "hand_r20",
    "hand_r01",
    "hand_r11",
    "hand_r21",
    "holding",
)
"""Six joints [rad], gripper (1 = open), pose of the hand in the root frame, whether it holds something."""


POSE_IN_STATE = (*range(7, 16), 6)
"""Places in the state of what an `ee_pose` action has: position, rotation, gripper."""


def observed_state(
    joints_rad: np.ndarray, gripper_fraction: float, root_tform_hand: Pose, holding: bool
) -> np.ndarray:
    """The state (17,) float32 in the order of `STATE_NAMES`.

    Args:
        joints_rad: (6,) measured joints sh0, sh1, el0, el1, wr0, wr1.
        gripper_fraction: 0 closed to 1 open.
        root_tform_hand: measured pose of the hand in the root frame.
        holding: whether the robot reports that the gripper holds something.
    """
    return np.concatenate(
        [
            joints_rad,
            [gripper_fraction],
            root_tform_hand.position_m,
            rotation_6d_from_matrix(root_tform_hand.rotation),
            [float(holding)],
        ]
    ).astype(np.float32)
