"""The guard: the last software between a policy and the arm. It owns the setpoint and holds when in doubt.

Pure logic: every call is told the time, so that the robot's node, the simulator's fast roll-outs and the
tests run the same code. A policy's chunk is checked when it arrives; each 5 Hz step then moves the goal, and
50 Hz ticks bring the commanded joints to it. `checks` says what is checked, `setpoint` how the joints move.
"""

from collections import Counter

import numpy as np

from theia_core.actions.arm_watch import ArmWatch
from theia_core.actions.checks import Envelope, check_chunk
from theia_core.actions.chunks import ActionChunk
from theia_core.actions.gripper import GripperDrive
from theia_core.actions.guard_state import ExecutedAction, GuardCommand, GuardMode, Refusal
from theia_core.actions.kinematics import ArmKinematics
from theia_core.actions.long_move import LongMove, MoveKind
from theia_core.actions.playback import Playback
from theia_core.actions.profile import RobotProfile
from theia_core.actions.setpoint import Setpoint

__all__ = ["ExecutedAction", "Guard", "GuardCommand", "GuardMode", "Refusal"]


class Guard:
    """Checks chunks, executes them step by step and keeps the arm where it is whenever something is missing.

    Call every method from one thread. Times are seconds of one clock.

    Attributes:
        mode, reason: what it does with chunks, and why.
        refusals: how often each `Refusal` happened.
        executed: the action that was executed last.
        gripper, playback: how the gripper pushes, in every mode; which action of which chunk is due.
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
        self.mode, self.reason = GuardMode.IDLE, "not armed"
        self.refusals: Counter[str] = Counter({refusal.value: 0 for refusal in Refusal})
        self.executed: ExecutedAction | None = None
        self.gripper = GripperDrive(profile.gripper)
        self.playback = Playback(self.limits)
        self._kinematics = kinematics
        self._envelope = Envelope(profile, kinematics, task)
        self._watch = ArmWatch(profile)
        self._resumable = self._eased = self._keeps_grip = False
        self._hold_since_s = -np.inf
        self._setpoint: Setpoint | None = None
        self._move: LongMove | None = None

    # --- inputs ---

    def on_joint_state(self, now_s: float, positions: np.ndarray) -> None:
        """Take the measured joints: (7,) of six joint angles [rad] and the left finger [m].

        A shorter or non-finite answer is how xs_sdk shows an overloaded motor: it is a fault, and the arm is
        let go where it is, lest the motor jumps back when it is rebooted.
        """
        if trouble := self._watch.take(now_s, positions) or self._watch.lost_track(now_s, self.setpoint):
            self.fault(now_s, trouble)

    def on_chunk(self, now_s: float, chunk: ActionChunk) -> str | None:
        """Accept or refuse a chunk as a whole; its actions are checked again one by one when they are due.

        Returns:
            None if accepted, else the `Refusal` value, which has been counted.
        """
        refusal: Refusal | None = Refusal.NOT_ACTIVE
        if self.mode == GuardMode.ACTIVE or self._may_resume(now_s):
            refusal = check_chunk(chunk, now_s, self.limits.step_s) or self.playback.out_of_turn(chunk)
        if refusal is not None:
            self._refuse(refusal)
            if self.mode == GuardMode.ACTIVE and refusal in (Refusal.NON_FINITE, Refusal.MALFORMED):
                self._stop_motion()
            return refusal.value
        self.playback.note(chunk)
        if chunk.horizon == 0:
            self._enter_hold(now_s, f"policy: {chunk.reason or 'asked to hold'}", resumable=True)
            return None
        if self.mode == GuardMode.HOLD:
            self.mode, self.reason = GuardMode.ACTIVE, ""
            self.playback.start(now_s)
        self.playback.take(now_s, chunk)
        return None

    def fault(self, now_s: float, reason: str) -> None:
        """Something is wrong with arm or driver: brake, hold, and accept nothing until `clear` and `arm`."""
        if self.mode.commands:
            self._stop_motion()
            self.mode, self.reason = GuardMode.FAULT, reason

    # --- operator's orders ---

    def arm(self, now_s: float) -> str | None:
        """Accept chunks; returns why not, or None.

        The setpoint is the measured pose, or stays as it is while the arm is being held: a loaded arm would
        sink with each measured pose. A policy run begins: it belongs to whose chunk comes first. The gripper
        opens if nothing was commanded before; after FAULT or ESTOP it may still hold something.
        """
        if refusal := self.why_not_arm(now_s):
            return refusal
        if self.mode == GuardMode.IDLE and not self._keeps_grip:
            self.gripper.open(now_s)
        self._keeps_grip = False
        self.playback.forget_run()
        self._watch.forgive()
        if self._setpoint is None:
            joints_rad = self._watch.joints_within_limits()
            self._setpoint = Setpoint(self._kinematics, self._envelope, self.limits, joints_rad)
        self._setpoint.stop()
        self.mode, self.reason = GuardMode.ACTIVE, ""
        self.playback.start(now_s)
        return None

    def why_not_arm(self, now_s: float) -> str | None:
        """Why `arm` would refuse, None if it would not."""
        if self.mode.is_stop:
            return f"{self.mode.name}: {self.reason}; clear it first"
        if self._move is not None:
            return f"{self._move.under_way}; wait, or `hold` to stop it"
        return self._watch.why_not_command(now_s)

    def hold(self, now_s: float, reason: str = "operator") -> None:
        """Stop; only `arm` starts the motion again."""
        if self.mode.commands:
            self._enter_hold(now_s, reason, resumable=False)

    def disarm(self, now_s: float, reason: str = "not armed") -> None:
        """Command nothing; `arm` will start at the measured pose. FAULT and ESTOP stay what they are.

        For an arm that others move: before a simulated scene is reset, after torque was switched off.
        """
        self._stop_motion()
        self.playback.forget_run()
        self._watch.forgive()
        self._let_go()
        self.gripper.relax()
        if not self.mode.is_stop:
            self._keeps_grip = False
            self.mode, self.reason = GuardMode.IDLE, reason

    def estop(self, now_s: float, reason: str = "operator") -> None:
        """Latch: brake, hold, accept nothing until `clear`. Torque stays on, a raised arm must not fall."""
        self._stop_motion()
        self.mode, self.reason = GuardMode.ESTOP, reason

    def clear(self, now_s: float) -> None:
        """Leave FAULT or ESTOP; the arm stays where it is until `arm`.

        HOLD if the arm is where it was commanded, else IDLE: then `arm` takes the pose that is measured.
        """
        if not self.mode.is_stop:
            return
        if self._watch.may_be_elsewhere(now_s, self.setpoint):
            self._let_go()
        self._watch.forgive()
        self._resumable, self._eased, self._keeps_grip = False, False, True
        self.mode = GuardMode.HOLD if self._setpoint else GuardMode.IDLE
        self.reason = "cleared, not armed"

    def home(self, now_s: float) -> str | None:
        """Move slowly, in joint space, to the neutral pose and hold there; returns why not, or None."""
        return self._begin_move(now_s, LongMove.home)

    def sleep(self, now_s: float) -> str | None:
        """Like `home`, to the sleep pose, by way of the neutral one; torque stays on."""
        return self._begin_move(now_s, LongMove.sleep)

    def why_not_limp(self, now_s: float) -> str | None:
        """Why torque or operating modes must not be changed now, None if they may: only at the sleep pose."""
        if self.mode == GuardMode.ACTIVE:
            return "ACTIVE: `hold` first"
        if self._move is not None:
            return f"{self._move.under_way}; wait"
        return self._watch.why_not_asleep(now_s)

    # --- output ---

    @property
    def setpoint(self) -> np.ndarray | None:
        """Commanded joints (6,) [rad], None while nothing is commanded."""
        return self._setpoint.joints_rad if self._setpoint else None

    @property
    def measured(self) -> np.ndarray | None:
        """Last measured joints and finger (7,), None before the first."""
        return self._watch.measured

    @property
    def moving(self) -> bool:
        """Whether a slow move, `home` or `sleep`, is under way."""
        return self._move is not None

    @property
    def at_rest(self) -> bool:
        """Whether the commanded joints do not move at present."""
        return self._setpoint is None or self._setpoint.at_rest

    def tick(self, now_s: float) -> GuardCommand | None:
        """Advance to `now_s` (call at 50 Hz) and return what the arm should do; None if nothing (IDLE)."""
        if self.mode.commands and not self._watch.is_recent(now_s):
            self.fault(now_s, f"no joint_states for {now_s - self._watch.measured_s:.2f} s")
        if self.mode == GuardMode.ACTIVE:
            if silence := self.playback.silence(now_s):
                self._enter_hold(now_s, silence, resumable=True)
            elif (action := self.playback.due_action(now_s)) is not None:
                self._step(now_s, action)
        if self.mode.is_stop and self._setpoint is not None and self._setpoint.reached:
            self._ease(now_s, self._setpoint)
        if self._setpoint is None:
            return None
        if refusal := self._setpoint.advance(now_s):
            self._refuse(refusal)
            self._move = None
            if not self.mode.is_stop:
                self.reason = f"refused on the way: {refusal.value}"
        if self._move is not None and self._setpoint.reached and not self._move.go_on(now_s, self._setpoint):
            self.reason, self._move = f"at {self._move.where}", None
        return GuardCommand(self._setpoint.joints_rad.copy(), self.gripper.pwm(now_s))

    # --- steps and state ---

    def _step(self, now_s: float, action: np.ndarray) -> None:
        """Move the goal by an action (7,), or leave it and count why not."""
        chunk = self.playback.chunk
        assert chunk is not None and self._setpoint is not None
        taken = self._setpoint.step(now_s, action)
        if isinstance(taken, Refusal):
            self._refuse(taken)
            return
        self.reason = ""
        self.gripper.follow(now_s, float(taken[6]))
        self.executed = ExecutedAction(now_s, taken.astype(np.float32), chunk.policy_id, chunk.stamp_s)

    def _begin_move(self, now_s: float, to_where: MoveKind) -> str | None:
        if refusal := self.arm(now_s):
            return refusal
        assert self._setpoint is not None
        move = to_where(self.profile, self._setpoint.goal_rad)
        self._enter_hold(now_s, move.under_way, resumable=False)
        if refused := self._envelope.check_way(move.way):
            self.refusals[refused.value] += 1
            self.reason = f"{move.where} cannot be reached: {refused.value} on the straight way there"
            return f"{self.reason}; lead the arm to a free place first"
        self._move = move
        return None

    def _refuse(self, refusal: Refusal) -> None:
        self.refusals[refusal.value] += 1
        if self.mode == GuardMode.ACTIVE:
            self.reason = f"refused: {refusal.value}"

    def _may_resume(self, now_s: float) -> bool:
        recent = now_s - self._hold_since_s <= self.limits.resume_window_s
        return self.mode == GuardMode.HOLD and self._resumable and recent

    def _enter_hold(self, now_s: float, reason: str, *, resumable: bool) -> None:
        if self.mode == GuardMode.HOLD:
            self._resumable = self._resumable and resumable
            if resumable:  # the first cause is the one worth reading; an operator's order replaces it
                return
        self._stop_motion()
        self.mode, self.reason = GuardMode.HOLD, reason
        self._hold_since_s, self._resumable = now_s, resumable

    def _stop_motion(self) -> None:
        """Drop the chunk and brake."""
        self.playback.stop()
        self._move = None
        if self._setpoint:
            self._setpoint.stop()

    def _ease(self, now_s: float, setpoint: Setpoint) -> None:
        """Let a stopped arm neither push on nor jump back: go slowly to where it is, once, then let it go."""
        far = self._watch.is_far(now_s, setpoint.joints_rad)
        if self._watch.answered_badly or (far and self._eased):
            self._let_go()
        elif far and self._watch.is_still:
            self._eased = True
            setpoint.ramp_to(now_s, self._watch.joints_within_limits())

    def _let_go(self) -> None:
        """Command nothing more; the servos keep their last goal, and a rebooted one rests where it is."""
        self._setpoint, self._move, self._eased = None, None, False
