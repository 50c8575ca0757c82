"""What the arm says of itself: where it is, whether it still says so, whether it follows its setpoint."""

import numpy as np

from theia_core.actions.profile import RobotProfile

_OUTSIDE_LIMITS_RAD = 0.1  # a measured joint may lie beyond its limit by less than this
_FAR_RAD = 0.15  # an arm that was stopped and is further than this from its setpoint is not sent back
_STILL_RAD = 0.005  # from one measurement to the next


class ArmWatch:
    """The newest measured joints and how they compare with limits, setpoint and sleep pose.

    Attributes:
        measured: (7,) six joints [rad] and the left finger [m] as measured last, None before the first.
        measured_s: when that was.
        is_still: whether no joint moved between the last two.
        answered_badly: whether there was no measurement in an answer since `forgive`.
    """

    def __init__(self, profile: RobotProfile) -> None:
        """Know nothing yet."""
        self._profile, self._limits = profile, profile.guard
        self.measured: np.ndarray | None = None
        self.measured_s = -np.inf
        self._bad_since_s: float | None = None
        self.is_still = self.answered_badly = False

    def take(self, now_s: float, positions: np.ndarray) -> str | None:
        """Take a measurement (7,), or say what is wrong with it."""
        positions = np.asarray(positions, dtype=float)
        if positions.shape == (len(self._profile.joint_names) + 1,) and np.isfinite(positions).all():
            before = self.measured if self.measured is not None else positions
            self.is_still = bool(np.abs(positions[:6] - before[:6]).max() < _STILL_RAD)
            self.measured, self.measured_s = positions, now_s
            return None
        self.answered_badly = True
        usable = int(np.sum(np.isfinite(positions)))
        return f"joint_states has {usable} usable values instead of 7: a motor may be overloaded"

    def is_recent(self, now_s: float) -> bool:
        """Whether the last measurement is young enough to act upon."""
        return self.measured is not None and now_s - self.measured_s <= self._limits.joint_state_timeout_s

    def joints_within_limits(self) -> np.ndarray:
        """Measured joints (6,), those a little beyond a limit brought back to it."""
        assert self.measured is not None
        return np.clip(self.measured[:6], self._profile.joint_lower_rad, self._profile.joint_upper_rad)

    def error_rad(self, setpoint_rad: np.ndarray | None) -> float:
        """Largest distance of a measured joint from its setpoint (6,), 0 if either is absent."""
        if self.measured is None or setpoint_rad is None:
            return 0.0
        return float(np.abs(self.measured[:6] - setpoint_rad).max())

    def lost_track(self, now_s: float, setpoint_rad: np.ndarray | None) -> str | None:
        """Say so once the arm has been far from its setpoint (6,) for too long."""
        error_rad = self.error_rad(setpoint_rad)
        if error_rad <= self._limits.tracking_error_rad:
            self._bad_since_s = None
            return None
        if self._bad_since_s is None:
            self._bad_since_s = now_s
        if now_s - self._bad_since_s <= self._limits.tracking_error_s:
            return None
        return f"a joint is {error_rad:.2f} rad from its setpoint: collision, or a motor without torque"

    def is_far(self, now_s: float, setpoint_rad: np.ndarray | None) -> bool:
        """Whether the arm is not where it was sent, (6,): pushed away, kept off by something, or sagged."""
        return self.is_recent(now_s) and self.error_rad(setpoint_rad) > _FAR_RAD

    def may_be_elsewhere(self, now_s: float, setpoint_rad: np.ndarray | None) -> bool:
        """Whether the arm must not be sent to its setpoint (6,) after a stop: it may be far from there."""
        return not self.is_recent(now_s) or self.answered_badly or self.is_far(now_s, setpoint_rad)

    def forgive(self) -> None:
        """Forget tracking errors and bad answers."""
        self._bad_since_s, self.answered_badly = None, False

    def why_not_command(self, now_s: float) -> str | None:
        """Why the measured pose cannot be the beginning of a motion, None if it can."""
        if not self.is_recent(now_s) or self.measured is None:
            return "no recent joint_states: is the arm's driver running?"
        joints_rad, profile = self.measured[:6], self._profile
        beyond = np.maximum(profile.joint_lower_rad - joints_rad, joints_rad - profile.joint_upper_rad)
        if np.max(beyond) <= _OUTSIDE_LIMITS_RAD:
            return None
        name = profile.joint_names[int(np.argmax(beyond))]
        return f"{name} is {np.max(beyond):.2f} rad beyond its limit; move it back by hand, without torque"

    def why_not_asleep(self, now_s: float) -> str | None:
        """Why the arm cannot be called safely asleep, None if it rests at its sleep pose."""
        if not self.is_recent(now_s) or self.measured is None:
            return "no recent joint_states: nobody knows where the arm is"
        away_rad = np.abs(self.measured[:6] - self._profile.sleep_rad)
        if np.max(away_rad) <= self._limits.sleep_tolerance_rad:
            return None
        name = self._profile.joint_names[int(np.argmax(away_rad))]
        return f"{name} is {np.max(away_rad):.2f} rad from the sleep pose, the arm would fall; `sleep` first"
