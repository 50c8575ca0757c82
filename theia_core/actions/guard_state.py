"""What the guard is doing, what it tells the arm and why it refuses: the words others know it by."""

from dataclasses import dataclass
from enum import Enum, IntEnum

import numpy as np


class GuardMode(IntEnum):
    """What the guard does with chunks; numbers are those of theia_msgs/GuardState."""

    IDLE = 0
    ACTIVE = 1
    HOLD = 2
    FAULT = 3
    ESTOP = 4

    @property
    def commands(self) -> bool:
        """Whether the guard is in charge of the arm."""
        return self in (GuardMode.ACTIVE, GuardMode.HOLD)

    @property
    def is_stop(self) -> bool:
        """Whether only `clear` leads out."""
        return self in (GuardMode.FAULT, GuardMode.ESTOP)


class Refusal(str, Enum):
    """Why a chunk, one of its actions or a stretch of the way was not executed."""

    NON_FINITE = "non_finite"
    MALFORMED = "malformed"
    EXPIRED = "expired"
    STALE = "stale"
    FUTURE = "future"
    STALE_SEQUENCE = "stale_sequence"
    OTHER_POLICY = "other_policy"
    NOT_ACTIVE = "not_active"
    WORKSPACE = "workspace"
    CLEARANCE = "clearance"
    IK_FAILURE = "ik_failure"
    JOINT_LIMIT = "joint_limit"
    JOINT_STEP = "joint_step"


@dataclass(frozen=True)
class GuardCommand:
    """What the arm is told each tick: joints (6,) [rad] and the gripper's PWM (+ opens, - closes)."""

    joints_rad: np.ndarray
    gripper_pwm: float


@dataclass(frozen=True)
class ExecutedAction:
    """One action (7,) that passed every check, as executed (after clipping), and when its step began."""

    time_s: float
    action: np.ndarray
    policy_id: str
    observation_s: float
