"""The commanded joints at 50 Hz: integrated, never re-read from the arm, smooth, and always able to stop.

Each tick moves one state, joints and their velocity, so velocity and acceleration are those of the stream
itself whatever the goals do. Before a tick is taken, the way to rest that would follow it is checked; if any
of it is forbidden the stream brakes instead, along the way that was checked one tick earlier.
"""

import numpy as np

from theia_core.actions.checks import Envelope
from theia_core.actions.guard_state import Refusal
from theia_core.actions.kinematics import ArmKinematics
from theia_core.actions.profile import GuardLimits
from theia_core.actions.spaces import apply_delta, clip_delta

_NEAR_RAD = 1e-3  # nearer than this the goal is taken within one tick


class Setpoint:
    """Commanded joints and the goal they are on the way to.

    Attributes:
        joints_rad: (6,) joints commanded now.
        velocity_rad_s: (6,) their velocity over the last tick.
        goal_rad: (6,) joints of the last accepted action.
        position_m: (3,) end-effector position of the goal, in base_link.
        rotation: (3, 3) end-effector orientation of the goal, in base_link.
    """

    def __init__(
        self, kinematics: ArmKinematics, envelope: Envelope, limits: GuardLimits, joints_rad: np.ndarray
    ) -> None:
        """Rest at `joints_rad` (6,)."""
        self._kinematics, self._envelope, self._limits = kinematics, envelope, limits
        self._gain_rad_s = limits.max_joint_acceleration_rad_s2 * limits.tick_s  # per tick
        self.joints_rad: np.ndarray = joints_rad.copy()
        self.velocity_rad_s: np.ndarray = np.zeros_like(self.joints_rad)
        self._advanced_s = -np.inf
        self._boxed = True
        envelope.admit([self.joints_rad])
        self._rest()

    def step(self, now_s: float, action: np.ndarray) -> np.ndarray | Refusal:
        """Move the goal by an action (7,); it is reached within a step and the blend after it.

        Returns:
            The action (7,) that is executed, clipped to the largest step; or why the goal stays.
        """
        limits = self._limits
        action = clip_delta(action, limits.max_step_m, limits.max_step_rad)
        pose = apply_delta(self.position_m, self.rotation, action)
        goal_rad = self._envelope.solve(*pose, self.position_m, self.goal_rad)
        if isinstance(goal_rad, Refusal):
            return goal_rad
        if not self._boxed:
            self._admit(boxed=True)
        self._go(goal_rad, pose, now_s + limits.step_s + limits.blend_s, limits.max_joint_velocity_rad_s)
        return action

    def ramp_to(self, now_s: float, goal_rad: np.ndarray) -> None:
        """Go slowly to `goal_rad` (6,), all joints at once; outside the workspace if need be."""
        self._admit(boxed=False)
        way_rad = float(np.max(np.abs(goal_rad - self.joints_rad)))
        arrival_s = now_s + max(way_rad / self._limits.ramp_rad_s, self._limits.step_s)
        self._go(goal_rad, self._kinematics.fk(goal_rad), arrival_s, self._limits.ramp_rad_s)

    def stop(self) -> None:
        """Give the goal up and brake, which takes at most max_joint_velocity / max_joint_acceleration."""
        if self.at_rest:
            self._rest()
            return
        self._braking = True
        *_, end_rad = self._way_to_rest(self.joints_rad, self.velocity_rad_s)
        self.goal_rad = end_rad
        self.position_m, self.rotation = self._kinematics.fk(end_rad)

    def advance(self, now_s: float) -> Refusal | None:
        """Take one tick; why the goal was given up on the way, if it was.

        A tick is a tick: after a late one the stream goes on from where it is and does not jump.
        """
        if now_s - self._advanced_s < 0.5 * self._limits.tick_s:
            return None
        self._advanced_s = now_s
        if self.reached:
            return None
        refusal = None
        if not self._braking:
            velocity, joints = self._next(now_s)
            refusal = self._envelope.advance(self._way_to_rest(joints, velocity))
            if refusal is None:
                self.velocity_rad_s, self.joints_rad = velocity, joints
                return None
            self.stop()
        velocity = _towards_zero(self.velocity_rad_s, self._gain_rad_s)
        self.joints_rad = self.joints_rad + velocity * self._limits.tick_s
        self.velocity_rad_s = velocity
        if self.at_rest:
            self._rest()
        return refusal

    @property
    def at_rest(self) -> bool:
        """Whether the commanded joints do not move at present."""
        return not self.velocity_rad_s.any()

    @property
    def reached(self) -> bool:
        """Whether the goal is commanded in full and the joints rest there."""
        return self.at_rest and (self.joints_rad is self.goal_rad or self._at_goal())

    def _at_goal(self) -> bool:
        return bool((self.joints_rad == self.goal_rad).all())

    def _go(
        self, goal_rad: np.ndarray, pose: tuple[np.ndarray, np.ndarray], arrival_s: float, speed_rad_s: float
    ) -> None:
        self.goal_rad, (self.position_m, self.rotation) = goal_rad, pose
        self._arrival_s, self._speed_rad_s, self._braking = arrival_s, speed_rad_s, False

    def _admit(self, *, boxed: bool) -> None:
        """From here on other limits count; braking is always allowed."""
        self._boxed = boxed
        self._envelope.admit(self._way_to_rest(self.joints_rad, self.velocity_rad_s), boxed=boxed)

    def _rest(self) -> None:
        self._go(self.joints_rad, self._kinematics.fk(self.joints_rad), -np.inf, 0.0)

    def _next(self, now_s: float) -> tuple[np.ndarray, np.ndarray]:
        """Velocity (6,) and joints (6,) of the next tick: even pace, no faster than it can still brake."""
        tick_s = self._limits.tick_s
        left_rad = self.goal_rad - self.joints_rad
        ticks = 1 if np.abs(left_rad).max() < _NEAR_RAD else 2
        pace = np.abs(left_rad) / max(self._arrival_s - now_s, ticks * tick_s)
        speed = np.minimum(np.minimum(pace, self._speed_rad_s), self._arriving_speed(np.abs(left_rad)))
        wanted = np.sign(left_rad) * speed
        velocity = self.velocity_rad_s + np.clip(
            wanted - self.velocity_rad_s, -self._gain_rad_s, self._gain_rad_s
        )
        arrives = np.abs(left_rad - velocity * tick_s) < 1e-12
        return velocity, np.where(arrives, self.goal_rad, self.joints_rad + velocity * tick_s)

    def _arriving_speed(self, left_rad: np.ndarray) -> np.ndarray:
        """Largest speed of the next tick from which n more ticks of braking end at the goal."""
        tick_s, gain = self._limits.tick_s, self._gain_rad_s
        ticks = np.maximum(np.ceil((np.sqrt(1 + 8 * left_rad / (gain * tick_s)) - 1) / 2), 1.0)
        return (left_rad / tick_s + gain * ticks * (ticks - 1) / 2) / ticks

    def _way_to_rest(self, joints_rad: np.ndarray, velocity_rad_s: np.ndarray) -> list[np.ndarray]:
        """`joints_rad` (6,) and where each tick of braking from there leads, to the end."""
        way = [joints_rad]
        velocity = _towards_zero(velocity_rad_s, self._gain_rad_s)
        while velocity.any():
            way.append(way[-1] + velocity * self._limits.tick_s)
            velocity = _towards_zero(velocity, self._gain_rad_s)
        return way


def _towards_zero(velocity_rad_s: np.ndarray, by_rad_s: float) -> np.ndarray:
    slower = np.maximum(np.abs(velocity_rad_s) - by_rad_s, 0.0)
    return np.copysign(slower, velocity_rad_s)
