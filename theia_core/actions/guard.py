"""The guard: the last software between a policy and the arm. It owns the setpoint and holds when in doubt.

Pure logic: every call is told the time, so that the robot's node, the simulator's fast roll-outs and the
tests run the same code. A policy's chunk is checked when it arrives; each 5 Hz step then moves the setpoint
pose, and 50 Hz ticks interpolate joints to it. The setpoint is integrated (never re-read from the arm), so
that holding does not drift with the load.
"""

from collections import Counter
from dataclasses import dataclass
from enum import Enum, IntEnum

import numpy as np

from theia_core.actions.chunks import ActionChunk
from theia_core.actions.kinematics import ArmKinematics, IKFailure
from theia_core.actions.profile import RobotProfile
from theia_core.actions.setpoint import Setpoint
from theia_core.actions.spaces import EE_DELTA, apply_delta, clip_delta


class GuardMode(IntEnum):
    """What the guard does with chunks; numbers are those of theia_msgs/GuardState."""

    IDLE = 0
    ACTIVE = 1
    HOLD = 2
    FAULT = 3
    ESTOP = 4


class Refusal(str, Enum):
    """Why a chunk or one of its actions was not executed."""

    NON_FINITE = "non_finite"
    MALFORMED = "malformed"
    EXPIRED = "expired"
    STALE_SEQUENCE = "stale_sequence"
    NOT_ACTIVE = "not_active"
    WORKSPACE = "workspace"
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


_EARLY_TICKS = (
    2  # a new chunk may start its step this many ticks before the old step is over: jitter of a 5 Hz policy
)
_LATE_TICKS = 3  # without a new chunk the old one plays on after this many ticks more


class Guard:
    """Checks chunks, executes them step by step and keeps the arm where it is whenever something is missing.

    Not thread-safe: call every method from one thread. Times are seconds of one clock.
    """

    def __init__(self, profile: RobotProfile, kinematics: ArmKinematics, task: str = "door") -> None:
        """Start in IDLE, in which nothing is commanded.

        Args:
            profile: limits of the robot.
            kinematics: forward and inverse kinematics of the same robot.
            task: whose workspace applies.

        Raises:
            TheiaError: if the profile has no workspace for the task.
        """
        self.profile = profile
        self.limits = profile.guard
        self.mode = GuardMode.IDLE
        self.reason = "not armed"
        self.refusals: Counter[str] = Counter({refusal.value: 0 for refusal in Refusal})
        self.executed: ExecutedAction | None = None
        self.dropped_late = 0
        self._kinematics = kinematics
        self._workspace = profile.workspace(task)
        self._measured: np.ndarray | None = None
        self._measured_s = -np.inf
        self._tracking_bad_since_s: float | None = None
        self._resumable = self._homing = False
        self._hold_since_s = -np.inf
        self._setpoint: Setpoint | None = None
        self._chunk: ActionChunk | None = None
        self._played_stamp_s: float = np.nan
        self._played_index: int = -1
        self._forget_run()
        self._gripper_open = True
        self._gripper_since_s = -np.inf

    # --- inputs ---

    def on_joint_state(self, now_s: float, positions: np.ndarray) -> None:
        """Take the measured joints: (7,) of six joint angles [rad] and the left finger [m].

        A shorter or non-finite answer is how xs_sdk shows an overloaded motor: it is a fault.
        """
        positions = np.asarray(positions, dtype=float)
        if positions.shape != (len(self.profile.joint_names) + 1,) or not np.all(np.isfinite(positions)):
            self._fault(
                f"joint_states has {positions.size} usable values instead of 7: a motor may be overloaded"
            )
            return
        self._measured, self._measured_s = positions, now_s
        if self.mode in (GuardMode.ACTIVE, GuardMode.HOLD):
            self._check_tracking(now_s)

    def on_chunk(self, now_s: float, chunk: ActionChunk) -> str | None:
        """Accept or refuse a chunk as a whole; its actions are checked again one by one when they are due.

        Returns:
            None if accepted, else the `Refusal` value, which has been counted.
        """
        if refusal := self._check_chunk(now_s, chunk):
            self._refuse(refusal, drop_chunk=refusal in (Refusal.NON_FINITE, Refusal.MALFORMED))
            return refusal.value
        self._last_sequence, self._sequence_policy = chunk.sequence, chunk.policy_id
        if chunk.horizon == 0:
            self._enter_hold(now_s, f"policy: {chunk.reason or 'asked to hold'}", resumable=True)
            return None
        if self.mode == GuardMode.HOLD:
            self._enter_active(now_s)
        self._chunk, self._chunk_received_s, self._fresh = chunk, now_s, True
        return None

    # --- operator's orders ---

    def arm(self, now_s: float) -> str | None:
        """Take the measured pose as setpoint and accept chunks; returns why not, or None.

        Re-arming is also how a policy run starts: sequence numbers begin anew.
        """
        if self.mode in (GuardMode.FAULT, GuardMode.ESTOP):
            return f"{self.mode.name}: {self.reason}; clear it first"
        if self._measured is None or now_s - self._measured_s > self.limits.joint_state_timeout_s:
            return "no recent joint_states: is the arm's driver running?"
        if self.mode == GuardMode.IDLE:
            self._gripper_open, self._gripper_since_s = True, now_s
        self._forget_run()
        within = np.clip(self._measured[:6], self.profile.joint_lower_rad, self.profile.joint_upper_rad)
        self._setpoint = Setpoint(self._kinematics, within)
        self._enter_active(now_s)
        self._chunk_received_s = now_s
        return None

    def hold(self, now_s: float, reason: str = "operator") -> None:
        """Stop where the setpoint is; only `arm` starts the motion again."""
        if self.mode in (GuardMode.ACTIVE, GuardMode.HOLD):
            self._enter_hold(now_s, reason, resumable=False)

    def disarm(self, now_s: float, reason: str = "not armed") -> None:
        """Stop commanding the arm (its servos keep their last goal), as before a simulated scene is reset."""
        if self.mode in (GuardMode.ACTIVE, GuardMode.HOLD):
            self._forget_run()
            self._setpoint = None
            self.mode, self.reason = GuardMode.IDLE, reason

    def estop(self, now_s: float, reason: str = "operator") -> None:
        """Latch: hold, and accept nothing until `clear`. Torque stays on, a raised arm must not fall."""
        self._stop_motion()
        self.mode, self.reason = GuardMode.ESTOP, reason

    def clear(self, now_s: float) -> None:
        """Leave FAULT or ESTOP for HOLD; the arm stays where it is until `arm`."""
        if self.mode in (GuardMode.FAULT, GuardMode.ESTOP):
            self._tracking_bad_since_s = None
            self.mode = GuardMode.HOLD if self._setpoint else GuardMode.IDLE
            self.reason, self._resumable = "cleared, not armed", False

    def home(self, now_s: float) -> str | None:
        """Move slowly, in joint space, to the neutral pose and hold there; returns why not, or None."""
        if refusal := self.arm(now_s):
            return refusal
        self._enter_hold(now_s, "moving to the neutral pose", resumable=False)
        assert self._setpoint is not None
        way_rad = float(np.max(np.abs(self.profile.neutral_rad - self._setpoint.joints_rad)))
        self._setpoint.move_to(now_s, self.profile.neutral_rad, max(way_rad / self.limits.ramp_rad_s, 0.2))
        self._homing = True
        return None

    # --- output ---

    @property
    def setpoint(self) -> np.ndarray | None:
        """Commanded joints (6,) [rad], None while nothing is commanded."""
        return self._setpoint.joints_rad if self._setpoint else None

    @property
    def measured(self) -> np.ndarray | None:
        """Last measured joints and finger (7,), None before the first."""
        return self._measured

    def tick(self, now_s: float) -> GuardCommand | None:
        """Advance to `now_s` (call at 50 Hz) and return what the arm should do; None in IDLE."""
        if self.mode in (GuardMode.ACTIVE, GuardMode.HOLD):
            age_s = now_s - self._measured_s
            if age_s > self.limits.joint_state_timeout_s:
                self._fault(f"no joint_states for {age_s:.2f} s")
        if self.mode == GuardMode.ACTIVE:
            self._watch_input(now_s)
        if self.mode == GuardMode.ACTIVE and self._step_is_due(now_s):
            self._step(now_s)
        if self._setpoint is None:
            return None
        self._setpoint.advance(now_s)
        if self._homing and self._setpoint.reached:
            self._homing, self.reason = False, "at the neutral pose"
        return GuardCommand(self._setpoint.joints_rad.copy(), self._gripper_pwm(now_s))

    # --- steps ---

    def _watch_input(self, now_s: float) -> None:
        silent_s = now_s - self._chunk_received_s
        if silent_s > self.limits.input_timeout_s:
            self._enter_hold(
                now_s, f"no action chunk for {silent_s:.2f} s: is the policy running?", resumable=True
            )
        elif self._chunk is not None and now_s >= self._chunk.expires_at_s:
            self._enter_hold(now_s, "the action chunk expired", resumable=True)

    def _step_is_due(self, now_s: float) -> bool:
        if self._chunk is None:
            return False
        early = self._fresh and self._next_step_s - _EARLY_TICKS * self.limits.tick_s <= now_s + 1e-9
        return early or self._next_step_s + _LATE_TICKS * self.limits.tick_s <= now_s + 1e-9

    def _step(self, now_s: float) -> None:
        """Move the setpoint by the action that is due, or leave it and count why not."""
        assert self._chunk is not None and self._setpoint is not None
        chunk, self._fresh = self._chunk, False
        self._next_step_s = now_s + self.limits.step_s
        index = max(chunk.due_index(now_s), 0)
        if chunk.stamp_s == self._played_stamp_s and index == self._played_index:
            return
        self.dropped_late += index if chunk.stamp_s != self._played_stamp_s else 0
        self._played_stamp_s, self._played_index = chunk.stamp_s, index
        if index >= chunk.horizon:
            return
        action = clip_delta(
            chunk.actions[index].astype(float), self.limits.max_step_m, self.limits.max_step_rad
        )
        pose = apply_delta(self._setpoint.position_m, self._setpoint.rotation, action)
        checked = self._check_pose(self._setpoint, *pose)
        if isinstance(checked, Refusal):
            self._refuse(checked, drop_chunk=False)
            return
        self.reason = ""
        self._setpoint.move_to(now_s, checked, self.limits.step_s, pose)
        self._move_gripper(now_s, float(action[6]))
        self.executed = ExecutedAction(now_s, action.astype(np.float32), chunk.policy_id, chunk.stamp_s)

    def _check_chunk(self, now_s: float, chunk: ActionChunk) -> Refusal | None:
        if self.mode != GuardMode.ACTIVE and not self._may_resume(now_s):
            return Refusal.NOT_ACTIVE
        actions = chunk.actions
        shaped = actions.ndim == 2 and (chunk.horizon == 0 or actions.shape[1] == EE_DELTA.dim)
        if chunk.action_space != EE_DELTA.name or not shaped or not chunk.dt_s > 0:
            return Refusal.MALFORMED
        if abs(chunk.dt_s - self.limits.step_s) > 0.05 * self.limits.step_s:
            return Refusal.MALFORMED
        if not (
            np.all(np.isfinite(actions)) and np.isfinite(chunk.stamp_s) and np.isfinite(chunk.expires_at_s)
        ):
            return Refusal.NON_FINITE
        if chunk.policy_id == self._sequence_policy and chunk.sequence <= self._last_sequence:
            return Refusal.STALE_SEQUENCE
        if now_s >= chunk.expires_at_s:
            return Refusal.EXPIRED
        return None

    def _check_pose(
        self, setpoint: Setpoint, position_m: np.ndarray, rotation: np.ndarray
    ) -> np.ndarray | Refusal:
        """Joints (6,) that reach the pose within every limit, or why there are none."""
        if not self._workspace.contains(position_m) and not self._returns_to_workspace(setpoint, position_m):
            return Refusal.WORKSPACE
        try:
            goal_rad = self._kinematics.ik(position_m, rotation, setpoint.joints_rad)
        except IKFailure:
            return Refusal.IK_FAILURE
        if np.any(goal_rad < self.profile.joint_lower_rad) or np.any(goal_rad > self.profile.joint_upper_rad):
            return Refusal.JOINT_LIMIT
        if np.max(np.abs(goal_rad - setpoint.joints_rad)) > self.limits.max_joint_step_rad:
            return Refusal.JOINT_STEP
        return goal_rad

    def _returns_to_workspace(self, setpoint: Setpoint, position_m: np.ndarray) -> bool:
        """An arm that was armed outside the box may move, but on no axis further out."""
        low, high = self._workspace.workspace_min_m, self._workspace.workspace_max_m
        before = np.maximum(np.maximum(low - setpoint.position_m, setpoint.position_m - high), 0.0)
        after = np.maximum(np.maximum(low - position_m, position_m - high), 0.0)
        return bool(np.any(before > 0) and np.all(after <= before))

    def _refuse(self, refusal: Refusal, *, drop_chunk: bool) -> None:
        self.refusals[refusal.value] += 1
        if self.mode == GuardMode.ACTIVE:
            self.reason = f"refused: {refusal.value}"
            if drop_chunk:
                self._stop_motion()

    # --- state ---

    def _may_resume(self, now_s: float) -> bool:
        recent = now_s - self._hold_since_s <= self.limits.resume_window_s
        return self.mode == GuardMode.HOLD and self._resumable and recent

    def _enter_active(self, now_s: float) -> None:
        self.mode, self.reason = GuardMode.ACTIVE, ""
        self._next_step_s = now_s

    def _enter_hold(self, now_s: float, reason: str, *, resumable: bool) -> None:
        if self.mode == GuardMode.HOLD:
            self._resumable = self._resumable and resumable
            if resumable:  # the first cause is the one worth reading; an operator's order replaces it
                return
        self._stop_motion()
        self.mode, self.reason = GuardMode.HOLD, reason
        self._hold_since_s, self._resumable = now_s, resumable

    def _fault(self, reason: str) -> None:
        if self.mode in (GuardMode.ACTIVE, GuardMode.HOLD):
            self._stop_motion()
            self.mode, self.reason = GuardMode.FAULT, reason

    def _check_tracking(self, now_s: float) -> None:
        assert self._measured is not None
        if self._setpoint is None:
            return
        error_rad = float(np.max(np.abs(self._measured[:6] - self._setpoint.joints_rad)))
        if error_rad <= self.limits.tracking_error_rad:
            self._tracking_bad_since_s = None
            return
        since_s = self._tracking_bad_since_s = self._tracking_bad_since_s or now_s
        if now_s - since_s > self.limits.tracking_error_s:
            self._fault(
                f"a joint is {error_rad:.2f} rad from its setpoint: collision, or a motor without torque"
            )

    def _forget_run(self) -> None:
        """Forget the chunk and the last policy run's numbering."""
        self._chunk = None
        self._chunk_received_s = self._next_step_s = -np.inf
        self._fresh = False
        self._last_sequence, self._sequence_policy = -1, ""
        self._played_stamp_s, self._played_index = np.nan, -1
        self._tracking_bad_since_s = None

    def _stop_motion(self) -> None:
        """Drop the chunk and hold at the joints commanded last."""
        self._chunk, self._fresh, self._homing = None, False, False
        if self._setpoint:
            self._setpoint.stop()

    def _move_gripper(self, now_s: float, value: float) -> None:
        limits = self.profile.gripper
        wanted = value > limits.open_above or (self._gripper_open and value >= limits.close_below)
        if wanted != self._gripper_open:
            self._gripper_open, self._gripper_since_s = wanted, now_s

    def _gripper_pwm(self, now_s: float) -> float:
        limits = self.profile.gripper
        pwm = limits.pwm if now_s - self._gripper_since_s < limits.settle_s else limits.hold_pwm
        return pwm if self._gripper_open else -pwm
