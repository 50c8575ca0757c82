"""What the bridge sends to Spot's arm: a trajectory of the hand for each step of the guard that has begun."""

import time
from typing import TYPE_CHECKING

from bosdyn.client.robot_command import RobotCommandBuilder

from theia_core.actions.guard_state import ExecutedAction, GuardMode
from theia_core.actions.poses import Pose

if TYPE_CHECKING:
    from theia.nodes.spot_bridge import SpotBridgeNode

_AHEAD = 2  # actions sent beyond the present one: what the arm still does if this process dies
_STOP_S = 0.1
_FAST_ENOUGH = 2.0  # times the speed of the guard's steps: what a trajectory may ask of the robot


class SpotTrajectories:
    """Lets the arm follow the guard; the thread of the node's callbacks calls everything.

    The guard's poses are in the run's root frame (`SpotBridgeNode.odom_tform_root`), what is sent is in odom.
    Nothing here waits: the commands go to `theia.spot.sender`, which sends in a thread of its own.
    """

    def __init__(self, node: "SpotBridgeNode") -> None:
        """Send nothing yet."""
        self._node, self._guard = node, node.guard
        self.forget_run()

    def forget_run(self) -> None:
        """Forget what was sent in the last run."""
        self._reference_s = time.time()
        self._sent_step: ExecutedAction | None = None
        self._streaming, self._refusals = False, 0
        self._past: list[tuple[float, Pose]] = []

    def begin(self) -> None:
        """The guard was armed: the trajectories' times count from now on."""
        self._reference_s = time.time()
        self._refusals = self._guard.refusals.total()

    def stop_robot(self) -> None:
        """Cancel whatever the robot does, also what nobody here began."""
        self._node.sender.put(RobotCommandBuilder.stop_command())
        self._streaming = False

    def advance(self, now_s: float) -> None:
        """Send the trajectory of a step that has begun; stop the arm once when nothing more is to be done.

        To be called after the guard's tick of `now_s`, on the monotonic clock.
        """
        guard, here = self._guard, self._guard.commanded(now_s)
        refused = guard.refusals.total() != self._refusals
        self._refusals = guard.refusals.total()
        if guard.mode == GuardMode.ACTIVE and guard.executed is not self._sent_step and here is not None:
            ahead = guard.ahead(now_s)[: 1 + _AHEAD]
            knots = [*self._past, (now_s, here.pose), *((at_s, goal.pose) for at_s, goal in ahead)]
            self._sent_step, self._streaming, self._past = guard.executed, True, [(now_s, here.pose)]
            self._send(now_s, knots, ahead[0][1].gripper)
        elif self._streaming and (guard.mode != GuardMode.ACTIVE or refused):
            self._streaming, self._past = False, []
            if here is None:
                self.stop_robot()
            else:
                self._send(now_s, [(now_s + _STOP_S, here.pose)], here.gripper)

    def _send(self, now_s: float, knots: list[tuple[float, Pose]], gripper: float) -> None:
        """Send poses in the root frame at times of the monotonic clock; gripper: 0 closed to 1 open."""
        node, to_wall_s = self._node, time.time() - now_s
        limits = node.profile.guard
        node.sender.put(
            node.link.hand_command(
                [(at_s + to_wall_s, node.odom_tform_root @ pose) for at_s, pose in knots],
                gripper,
                self._reference_s,
                _FAST_ENOUGH * limits.max_step_m / limits.step_s,
                _FAST_ENOUGH * limits.max_step_rad / limits.step_s,
            )
        )
        node.diagnostics.rate("commands").tick()
