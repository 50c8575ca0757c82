"""The guard of a robot that is told hand poses: the modes of the WidowX's guard, over `HandFilter`.

Pure logic: every call is told the time. A policy's chunk is checked when it arrives; each 5 Hz step moves the
hand's goal, 50 Hz ticks lead to it on a straight line. The robot's own controller does the rest: kinematics,
joint limits, how fast joints may turn.
"""

from collections import Counter

import numpy as np

from theia_core.actions.checks import check_chunk
from theia_core.actions.chunks import ActionChunk
from theia_core.actions.guard_state import ExecutedAction, GuardMode, Refusal
from theia_core.actions.hand_filter import HandFilter, HandGoal
from theia_core.actions.hand_profile import HandProfile
from theia_core.actions.hand_state import STATE_NAMES
from theia_core.actions.playback import Playback
from theia_core.actions.poses import Pose
from theia_core.actions.rotations import matrix_from_rotation_6d
from theia_core.actions.spaces import EE_POSE

_GRIPPER, _POSITION, _ROTATION = 6, slice(7, 10), slice(10, 16)


class HandGuard:
    """Checks chunks of `ee_pose` actions, executes them step by step and holds when something is missing.

    Call every method from one thread. Times are seconds of one clock.

    Attributes:
        mode, reason: what it does with chunks, and why.
        refusals: how often each `Refusal` happened.
        executed: the action that was executed last, as it was limited.
        playback: which action of which chunk is due.
    """

    action_dim = EE_POSE.dim

    def __init__(self, profile: HandProfile, task: str) -> None:
        """Start in IDLE, in which nothing is commanded.

        Raises:
            TheiaError: if the profile has no workspace for the task.
        """
        self.profile, self.limits = profile, profile.guard
        self.mode, self.reason = GuardMode.IDLE, "not armed"
        self.refusals: Counter[str] = Counter({refusal.value: 0 for refusal in Refusal})
        self.executed: ExecutedAction | None = None
        self.playback = Playback(self.limits)
        self._filter = HandFilter(profile, task)
        self._measured: HandGoal | None = None
        self._measured_s = self._near_s = self._hold_since_s = -np.inf
        self._resumable = False
        self._from: HandGoal | None = None  # where the present step began
        self._step_s = -np.inf
        self._last: HandGoal | None = None  # what the last tick commanded

    # --- inputs ---

    def on_joint_state(self, now_s: float, state: np.ndarray) -> None:
        """Take the measured state (17,) of `hand_state.STATE_NAMES`."""
        values = np.asarray(state, dtype=float)
        if values.shape != (len(STATE_NAMES),) or not np.all(np.isfinite(values)):
            self.fault(now_s, f"the robot's state is not {len(STATE_NAMES)} finite numbers")
            return
        pose = Pose(values[_POSITION], matrix_from_rotation_6d(values[_ROTATION]))
        self._measured, self._measured_s = HandGoal(pose, float(values[_GRIPPER])), now_s
        commanded = self.commanded(now_s)
        if commanded is None or commanded.pose.distance_to(pose)[0] <= self.limits.tracking_error_m:
            self._near_s = now_s
        elif now_s - self._near_s >= self.limits.tracking_error_s:
            apart_m = commanded.pose.distance_to(pose)[0]
            self.fault(now_s, f"the hand is {apart_m:.2f} m from where it was sent: is it stuck?")
            self._rest_at(now_s, self._measured)  # and push no more

    def on_chunk(self, now_s: float, chunk: ActionChunk) -> str | None:
        """Accept or refuse a chunk as a whole; its actions are checked one by one when they are due.

        Returns:
            None if accepted, else the `Refusal` value, which has been counted.
        """
        refusal: Refusal | None = Refusal.NOT_ACTIVE
        if self.mode == GuardMode.ACTIVE or self._may_resume(now_s):
            refusal = check_chunk(chunk, now_s, self.limits.step_s, EE_POSE)
            refusal = refusal or self.playback.out_of_turn(chunk)
        if refusal is not None:
            self._refuse(refusal)
            if self.mode == GuardMode.ACTIVE and refusal in (Refusal.NON_FINITE, Refusal.MALFORMED):
                self._stop_motion(now_s)
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
        """Something is wrong with the robot: hold, and accept nothing until `clear` and `arm`."""
        if self.mode.commands:
            self._stop_motion(now_s)
            self.mode, self.reason = GuardMode.FAULT, reason

    # --- operator's orders ---

    def arm(self, now_s: float) -> str | None:
        """Accept chunks from the measured pose on; returns why not, or None. A policy run begins."""
        if self.mode.is_stop:
            return f"{self.mode.name}: {self.reason}; clear it first"
        if self._measured is None or now_s - self._measured_s > self.limits.state_timeout_s:
            return "no recent state of the robot: is its driver running?"
        if self._filter.goal is None:
            self._filter.begin(self._measured)
        self._stop_motion(now_s)
        self.playback.forget_run()
        self.playback.start(now_s)
        self._near_s = now_s
        self.mode, self.reason = GuardMode.ACTIVE, ""
        return None

    def hold(self, now_s: float, reason: str = "operator") -> None:
        """Stop; only `arm` starts the motion again."""
        if self.mode.commands:
            self._enter_hold(now_s, reason, resumable=False)

    def disarm(self, now_s: float, reason: str = "not armed") -> None:
        """Command nothing; `arm` will start at the measured pose. FAULT and ESTOP stay what they are."""
        self._let_go()
        self.playback.forget_run()
        if not self.mode.is_stop:
            self.mode, self.reason = GuardMode.IDLE, reason

    def estop(self, now_s: float, reason: str = "operator") -> None:
        """Latch: hold, accept nothing until `clear`. Motor power is the robot's e-stop's business."""
        self._stop_motion(now_s)
        self.mode, self.reason = GuardMode.ESTOP, reason

    def clear(self, now_s: float) -> None:
        """Leave FAULT or ESTOP; `arm` will start at the measured pose."""
        if self.mode.is_stop:
            self._let_go()
            self.mode, self.reason = GuardMode.IDLE, "cleared, not armed"

    # --- output ---

    @property
    def measured(self) -> HandGoal | None:
        """Last measured pose of the hand and opening of the gripper, None before the first."""
        return self._measured

    def tick(self, now_s: float) -> HandGoal | None:
        """Advance to `now_s` (call at 50 Hz) and return where the hand should be; None if nothing (IDLE)."""
        if self.mode.commands and now_s - self._measured_s > self.limits.state_timeout_s:
            self.fault(now_s, f"no state of the robot for {now_s - self._measured_s:.2f} s")
        if self.mode == GuardMode.ACTIVE:
            if silence := self.playback.silence(now_s):
                self._enter_hold(now_s, silence, resumable=True)
            elif (action := self.playback.due_action(now_s)) is not None:
                self._step(now_s, action)
        self._last = self.commanded(now_s + self.limits.tick_s)
        return self._last

    def commanded(self, at_s: float) -> HandGoal | None:
        """Where the hand is to be at a time in or after the present step; None if nothing is commanded."""
        if self._filter.goal is None or self._from is None:
            return None
        share = float(np.clip((at_s - self._step_s) / self.limits.step_s, 0.0, 1.0))
        return self._filter.goal if share >= 1.0 else self._from.towards(self._filter.goal, share)

    def ahead(self, now_s: float) -> list[tuple[float, HandGoal]]:
        """Times and goals of the present step's end and of the chunk's later actions, up to a refused one.

        For a robot that is sent trajectories in advance. Empty where nothing is commanded.
        """
        goal, chunk = self._filter.goal, self.playback.chunk
        if goal is None or self._from is None:
            return []
        ends_s = self._step_s + self.limits.step_s
        knots = [(ends_s, goal)]
        if self.mode == GuardMode.ACTIVE and chunk is not None:
            rest = chunk.actions[max(chunk.due_index(now_s), 0) + 1 :]
            later = self._filter.preview(rest)
            knots += [(ends_s + (i + 1) * self.limits.step_s, goal) for i, goal in enumerate(later)]
        return knots

    # --- steps and state ---

    def _step(self, now_s: float, action: np.ndarray) -> None:
        """Move the goal by an action (10,), or leave it and count why not."""
        chunk, begun = self.playback.chunk, self.commanded(now_s)
        assert chunk is not None and begun is not None
        taken = self._filter.take(action)
        if isinstance(taken, Refusal):
            self._refuse(taken)
            return
        self._from, self._step_s, self.reason = begun, now_s, ""
        self.executed = ExecutedAction(now_s, taken.action, chunk.policy_id, chunk.stamp_s)

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
        self._stop_motion(now_s)
        self.mode, self.reason = GuardMode.HOLD, reason
        self._hold_since_s, self._resumable = now_s, resumable

    def _stop_motion(self, now_s: float) -> None:
        """Drop the chunk; the hand is to stay where it is commanded now."""
        self.playback.stop()
        if self._filter.goal is not None:
            self._rest_at(now_s, self._last or self._filter.goal)

    def _rest_at(self, now_s: float, here: HandGoal) -> None:
        self._filter.begin(here)
        self._from, self._step_s, self._last = here, now_s, here

    def _let_go(self) -> None:
        self.playback.stop()
        self._filter.goal = self._from = self._last = None
