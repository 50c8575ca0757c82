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
from theia_core.actions.long_move import LongMove
from theia_core.actions.playback import Playback
from theia_core.actions.profile import RobotProfile
from theia_core.actions.setpoint import Setpoint
from theia_core.actions.spaces import apply_delta, clip_delta

__all__ = ["ExecutedAction", "Guard", "GuardCommand", "GuardMode", "Refusal"]

_LET_GO_RAD = 0.15  # after a fault an arm further than this from its setpoint is no longer sent there


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
        self._kinematics = kinematics
        self._envelope = Envelope(profile, kinematics, task)
        self._gripper = GripperDrive(profile.gripper)
        self._watch = ArmWatch(profile)
        self._playback = Playback(self.limits)
        self._resumable = self._must_let_go = False
        self._hold_since_s = -np.inf
        self._setpoint: Setpoint | None = None
        self._move: LongMove | None = None

    # --- inputs ---

    def on_joint_state(self, now_s: float, positions: np.ndarray) -> None:
        """Take the measured joints: (7,) of six joint angles [rad] and the left finger [m].

        A shorter or non-finite answer is how xs_sdk shows an overloaded motor: it is a fault, and the arm is
        let go where it is, lest the motor jumps back when it is rebooted.
        """
        if trouble := self._watch.take(now_s, positions):
            self.fault(now_s, trouble)
            self._must_let_go = self._must_let_go or self._stopped
        elif self._commands and (trouble := self._watch.lost_track(now_s, self.setpoint)):
            self.fault(now_s, trouble)
            self._yield_to_the_arm(now_s)

    def on_chunk(self, now_s: float, chunk: ActionChunk) -> str | None:
        """Accept or refuse a chunk as a whole; its actions are checked again one by one when they are due.

        Returns:
            None if accepted, else the `Refusal` value, which has been counted.
        """
        refusal: Refusal | None = Refusal.NOT_ACTIVE
        if self.mode == GuardMode.ACTIVE or self._may_resume(now_s):
            refusal = check_chunk(chunk, now_s, self.limits.step_s)
            if refusal is None and self._playback.is_old(chunk):
                refusal = Refusal.STALE_SEQUENCE
        if refusal is not None:
            self._refuse(refusal)
            if self.mode == GuardMode.ACTIVE and refusal in (Refusal.NON_FINITE, Refusal.MALFORMED):
                self._stop_motion()
            return refusal.value
        self._playback.note(chunk)
        if chunk.horizon == 0:
            self._enter_hold(now_s, f"policy: {chunk.reason or 'asked to hold'}", resumable=True)
            return None
        if self.mode == GuardMode.HOLD:
            self._enter_active(now_s)
        self._playback.take(now_s, chunk)
        return None

    def fault(self, now_s: float, reason: str) -> None:
        """Something is wrong with arm or driver: brake, hold, and accept nothing until `clear` and `arm`."""
        if self._commands:
            self._stop_motion()
            self.mode, self.reason = GuardMode.FAULT, reason

    # --- operator's orders ---

    def arm(self, now_s: float) -> str | None:
        """Accept chunks; returns why not, or None.

        The setpoint is the measured pose, or stays as it is while the arm is being held: taking the measured
        pose again and again would let a loaded arm sink. A policy run starts so: sequence numbers begin anew.
        """
        if refusal := self.why_not_arm(now_s):
            return refusal
        if self.mode == GuardMode.IDLE:
            self._gripper.open(now_s)
        self._forget_run()
        if self._setpoint is None:
            joints_rad = self._watch.joints_within_limits()
            self._setpoint = Setpoint(self._kinematics, self._envelope, self.limits, joints_rad)
        self._setpoint.stop()
        self._enter_active(now_s)
        self._playback.expect_from(now_s)
        return None

    def why_not_arm(self, now_s: float) -> str | None:
        """Why `arm` would refuse, None if it would not."""
        if self._stopped:
            return f"{self.mode.name}: {self.reason}; clear it first"
        if self._move is not None:
            return f"{self._move.under_way}; wait, or `hold` to stop it"
        return self._watch.why_not_command(now_s)

    def hold(self, now_s: float, reason: str = "operator") -> None:
        """Stop; only `arm` starts the motion again."""
        if self._commands:
            self._enter_hold(now_s, reason, resumable=False)

    def disarm(self, now_s: float, reason: str = "not armed") -> None:
        """Stop commanding the arm (its servos keep their last goal), as before a simulated scene is reset."""
        if self._commands:
            self._forget_run()
            self._let_go()
            self._gripper.relax()
            self.mode, self.reason = GuardMode.IDLE, reason

    def estop(self, now_s: float, reason: str = "operator") -> None:
        """Latch: brake, hold, accept nothing until `clear`. Torque stays on, a raised arm must not fall."""
        self._stop_motion()
        self.mode, self.reason = GuardMode.ESTOP, reason

    def clear(self, now_s: float) -> None:
        """Leave FAULT or ESTOP; the arm stays where it is until `arm`.

        HOLD if the arm is where it was commanded; IDLE if it is not (it sagged, or was pushed away) or does
        not say where it is: then `arm` takes the pose that is measured.
        """
        if not self._stopped:
            return
        if self._watch.error_rad(self.setpoint) > _LET_GO_RAD or not self._watch.is_recent(now_s):
            self._let_go()
        self._watch.forgive()
        self._must_let_go = self._resumable = False
        self.mode = GuardMode.HOLD if self._setpoint else GuardMode.IDLE
        self.reason = "cleared, not armed"

    def home(self, now_s: float) -> str | None:
        """Move slowly, in joint space, to the neutral pose and hold there; returns why not, or None."""
        return self._begin_move(now_s, LongMove.home(self.profile))

    def sleep(self, now_s: float) -> str | None:
        """Move slowly to the sleep pose, by way of the neutral one, and hold there; returns why not, or None.

        Torque stays on.
        """
        if refusal := self._watch.why_not_command(now_s):
            return refusal
        assert self.measured is not None
        return self._begin_move(now_s, LongMove.sleep(self.profile, self.measured[:6]))

    def why_not_limp(self, now_s: float) -> str | None:
        """Why torque or operating modes must not be changed now, None if they may: only at the sleep pose."""
        if self.mode == GuardMode.ACTIVE:
            return "ACTIVE: `hold` first"
        if self._move is not None:
            return f"{self._move.under_way}; wait"
        return self._watch.why_not_asleep(now_s)

    def went_limp(self) -> None:
        """The arm's torque has been switched off: command nothing."""
        self._stop_motion()
        self._let_go()
        if self.mode == GuardMode.HOLD:
            self.mode = GuardMode.IDLE
            self.reason = "no torque"

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
    def dropped_late(self) -> int:
        """Actions whose time had passed when their chunk came."""
        return self._playback.dropped_late

    @property
    def moving(self) -> bool:
        """Whether a slow move, `home` or `sleep`, is under way."""
        return self._move is not None

    @property
    def at_rest(self) -> bool:
        """Whether the commanded joints do not move at present."""
        return self._setpoint is None or self._setpoint.at_rest

    def relax_gripper(self) -> None:
        """Go to the gripper's holding level at once, because nobody may be there to do it later."""
        self._gripper.relax()

    def gripper_pwm(self, now_s: float) -> float:
        """The gripper's PWM, which decays to the holding level in every mode, IDLE too."""
        return self._gripper.pwm(now_s)

    def tick(self, now_s: float) -> GuardCommand | None:
        """Advance to `now_s` (call at 50 Hz) and return what the arm should do; None if nothing (IDLE)."""
        if self._commands and not self._watch.is_recent(now_s):
            self.fault(now_s, f"no joint_states for {now_s - self._watch.measured_s:.2f} s")
        if self.mode == GuardMode.ACTIVE:
            if silence := self._playback.silence(now_s):
                self._enter_hold(now_s, silence, resumable=True)
            elif (action := self._playback.due_action(now_s)) is not None:
                self._step(now_s, action)
        if self._stopped and self._setpoint is not None and self._setpoint.reached:
            far = self._watch.is_recent(now_s) and self._watch.error_rad(self.setpoint) > _LET_GO_RAD
            if far or self._must_let_go:
                self._let_go()
        if self._setpoint is None:
            return None
        if refusal := self._setpoint.advance(now_s):
            self._refuse(refusal)
            self._move = None
            if not self._stopped:
                self.reason = f"refused on the way: {refusal.value}"
        if self._move is not None:
            self._go_on_moving(now_s)
        return GuardCommand(self._setpoint.joints_rad.copy(), self._gripper.pwm(now_s))

    # --- steps ---

    def _step(self, now_s: float, action: np.ndarray) -> None:
        """Move the goal by an action (7,), or leave it and count why not."""
        chunk, goal = self._playback.chunk, self._setpoint
        assert chunk is not None and goal is not None
        action = clip_delta(action, self.limits.max_step_m, self.limits.max_step_rad)
        pose = apply_delta(goal.position_m, goal.rotation, action)
        checked = self._envelope.solve(*pose, goal.position_m, goal.goal_rad)
        if isinstance(checked, Refusal):
            self._refuse(checked)
            return
        self.reason = ""
        goal.step_to(now_s, checked, pose)
        self._gripper.follow(now_s, float(action[6]))
        self.executed = ExecutedAction(now_s, action.astype(np.float32), chunk.policy_id, chunk.stamp_s)

    def _begin_move(self, now_s: float, move: LongMove) -> str | None:
        if refusal := self.why_not_arm(now_s):
            return refusal
        self.arm(now_s)
        assert self._setpoint is not None
        self._enter_hold(now_s, "", resumable=False)
        if refused := self._envelope.check_way(move.way_from(self._setpoint.goal_rad)):
            self.refusals[refused.value] += 1
            self.reason = f"{move.where} cannot be reached: {refused.value} on the straight way there"
            return f"{self.reason}; lead the arm to a free place first"
        self._move, self.reason = move, move.under_way
        return None

    def _go_on_moving(self, now_s: float) -> None:
        """Start the next part of a slow move when the last one has been done."""
        assert self._setpoint is not None and self._move is not None
        if not self._setpoint.reached:
            return
        goal_rad = self._move.next_goal()
        if goal_rad is None:
            self.reason, self._move = f"at {self._move.where}", None
        else:
            self._setpoint.ramp_to(now_s, goal_rad)

    def _refuse(self, refusal: Refusal) -> None:
        self.refusals[refusal.value] += 1
        if self.mode == GuardMode.ACTIVE:
            self.reason = f"refused: {refusal.value}"

    # --- state ---

    @property
    def _commands(self) -> bool:
        return self.mode in (GuardMode.ACTIVE, GuardMode.HOLD)

    @property
    def _stopped(self) -> bool:
        return self.mode in (GuardMode.FAULT, GuardMode.ESTOP)

    def _may_resume(self, now_s: float) -> bool:
        recent = now_s - self._hold_since_s <= self.limits.resume_window_s
        return self.mode == GuardMode.HOLD and self._resumable and recent

    def _enter_active(self, now_s: float) -> None:
        self.mode, self.reason = GuardMode.ACTIVE, ""
        self._playback.start(now_s)

    def _enter_hold(self, now_s: float, reason: str, *, resumable: bool) -> None:
        if self.mode == GuardMode.HOLD:
            self._resumable = self._resumable and resumable
            if resumable:  # the first cause is the one worth reading; an operator's order replaces it
                return
        self._stop_motion()
        self.mode, self.reason = GuardMode.HOLD, reason
        self._hold_since_s, self._resumable = now_s, resumable

    def _yield_to_the_arm(self, now_s: float) -> None:
        """Bring the setpoint slowly to where the arm is: an arm that is stuck must not go on pushing."""
        if self._setpoint is not None:
            self._setpoint.ramp_to(now_s, self._watch.joints_within_limits())

    def _forget_run(self) -> None:
        """Forget the last policy run."""
        self._playback.forget_run()
        self._watch.forgive()

    def _stop_motion(self) -> None:
        """Drop the chunk and brake."""
        self._playback.stop()
        self._move = None
        if self._setpoint:
            self._setpoint.stop()

    def _let_go(self) -> None:
        """Command nothing more; the servos keep their last goal, and a rebooted one rests where it is."""
        self._setpoint, self._move, self._must_let_go = None, None, False
