"""The operator's orders to Spot's bridge: those of the WidowX's guard, and lease, power and posture.

What the robot takes its time for runs in a thread; the answer then only says that it has begun. Meanwhile
`arm` is refused, and `hold` and `estop` break it off.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from bosdyn.api import basic_command_pb2
from bosdyn.client.power import PowerClient, power_off_motors, power_on_motors
from bosdyn.client.robot_command import RobotCommandBuilder as Builder
from builtin_interfaces.msg import Time

from theia.messages.stamps import Now
from theia.nodekit.calls import UNDER_WAY
from theia.nodes.order_services import Order, OrderServices
from theia.spot.reading import VISION
from theia.spot.reasons import SDK_ERRORS, reason_of
from theia_core.actions.poses import Pose
from theia_core.errors import TheiaError

if TYPE_CHECKING:
    from theia.nodes.spot_bridge import SpotBridgeNode

_LONGEST_S, _LOOK_S = 20.0, 0.1
_OLDEST_WALK_S, _FARTHEST_M = 1.0, 3.0


class BrokenOff(TheiaError):
    """The order was stopped by another."""


class SpotOrders:
    """Services of the bridge.

    Attributes:
        job: the order that is being carried out in the background; empty if none is.
        trouble: why the last one failed; empty if it did not.
    """

    def __init__(self, node: "SpotBridgeNode") -> None:
        """Offer the services."""
        self._node, self._guard = node, node.guard
        self.job = self.trouble = ""
        self._broken_off = threading.Event()
        self._finished: deque[tuple[str, str]] = deque()
        orders: dict[str, Order] = {
            "arm": node.arm,
            "disarm": self._breaking_off(self._guard.disarm),
            "hold": self._breaking_off(self._hold),
            "estop": self._breaking_off(self._estop),
            "clear": self._clear,
            "home": self._in_background("home", self._home),
            "sleep": self._in_background("sleep", self._sleep),
            "take_lease": self._in_background("take_lease", self._take_lease, needs_lease=False),
            "return_lease": self._in_background("return_lease", self._return_lease, needs_lease=False),
            "power_on": self._in_background("power_on", self._power_on),
            "power_off": self._in_background("power_off", self._power_off),
            "stand": self._in_background("stand", self._stand),
            "sit": self._in_background("sit", self._sit),
        }
        self._services = OrderServices(node, self._guard, orders, node.publish_change)

    def close(self) -> None:
        """Offer the services no more."""
        self._broken_off.set()
        self._services.close()

    def begin(self, name: str, work: Callable[[], None]) -> str | None:
        """Carry out `work` in the background, unless something else is; returns why not, or None."""
        if self.job:
            return self._under_way
        self.job, self.trouble = name, ""
        self._broken_off.clear()
        threading.Thread(target=self._carry_out, args=(name, work), name=name, daemon=True).start()
        return None

    @property
    def _under_way(self) -> str:
        return f"{self.job} {UNDER_WAY}, or `hold` to break it off"

    def report(self) -> None:
        """Say which orders have been carried out; in the thread of the node's callbacks."""
        while self._finished:
            name, trouble = self._finished.popleft()
            if trouble:
                self._node.get_logger().error(trouble)
            else:
                self._node.get_logger().info(f"{name}: done")

    def _carry_out(self, name: str, work: Callable[[], None]) -> None:
        try:
            work()
        except SDK_ERRORS as error:
            self.trouble = f"{name} failed: {reason_of(error)}"
        except TheiaError as error:
            self.trouble = f"{name} failed: {error}"
        self._finished.append((name, self.trouble))
        self.job = ""

    def _in_background(self, name: str, work: Callable[[], None], *, needs_lease: bool = True) -> Order:
        def order(now_s: float) -> str | None:
            guard = self._guard
            if guard.mode.name == "ACTIVE":
                return "ACTIVE: `hold` first"
            if self.job:
                return self._under_way
            if needs_lease and guard.mode.is_stop:
                return f"{guard.mode.name}: {guard.reason}; clear it first"
            if needs_lease and not self._node.authority.has_lease:
                return "no lease; order take_lease"
            if refusal := self.begin(name, work):
                return refusal
            guard.disarm(now_s, f"{name} is under way or was the last order")
            return None

        return order

    def _breaking_off(self, order: Callable[[float], Any]) -> Order:
        def obey(now_s: float) -> str | None:
            self._broken_off.set()
            order(now_s)
            return None

        return obey

    def walk_to(self, now: Now, frame: str, place: Pose, stamp: Time) -> str | None:
        """Walk to a place in "vision" or in the frame of a fiducial in view; returns why not, or None."""
        age_s = now.age_s(stamp)
        if not -_OLDEST_WALK_S <= age_s <= _OLDEST_WALK_S:
            return f"the order to walk is {age_s:.1f} s old"
        if frame != VISION:
            tags = self._node.tags
            if frame not in tags:
                known = ", ".join((VISION, *tags))
                return f"no frame {frame!r} to walk in; known: {known}"
            place = tags[frame] @ place
        newest = self._node.newest
        if newest is None:
            return "no state of the robot"
        way_m = float(np.linalg.norm((place.position_m - newest.vision_tform_body.position_m)[:2]))
        if not way_m <= _FARTHEST_M:
            return f"{way_m:.1f} m is too far to walk; {_FARTHEST_M:.0f} m at most"
        begin = self._in_background("walk", lambda: self._walk(place))
        return begin(now.monotonic_s)

    # --- at once ---

    def _hold(self, now_s: float) -> None:
        self._guard.hold(now_s)
        self._node.trajectories.stop_robot()

    def _estop(self, now_s: float) -> None:
        """Latch, stop the arm, and let the robot sit down and lose its motor power."""
        self._guard.estop(now_s)
        self._node.trajectories.stop_robot()

        def press() -> None:
            try:
                self._node.authority.press_estop()
            except SDK_ERRORS as error:
                self._finished.append(
                    ("estop", f"the robot's own e-stop could not be pressed: {reason_of(error)}")
                )

        threading.Thread(target=press, name="estop", daemon=True).start()

    def _clear(self, now_s: float) -> str | None:
        """Leave FAULT or ESTOP; clears behaviour faults and releases this process's e-stop."""
        self._guard.clear(now_s)
        reading = self._node.newest
        if reading is None or not (reading.faults or reading.estop):
            return None
        return self.begin("clear", self._clear_faults)

    # --- in the background ---

    def _clear_faults(self) -> None:
        node = self._node
        if node.authority.is_endpoint:
            node.authority.allow_power(motors_on=True)
        reading = node.newest
        if reading is None or not reading.faults or not node.authority.has_lease:
            return
        for number in reading.faults:
            node.link.commands.clear_behavior_fault(number, timeout=3.0)

    def _take_lease(self) -> None:
        with self._node.sender.paused():
            self._node.authority.take_lease()

    def _return_lease(self) -> None:
        with self._node.sender.paused():
            self._node.authority.return_lease()

    def _power_on(self) -> None:
        node = self._node
        powered = node.newest is not None and node.newest.powered
        if not powered or node.authority.is_endpoint:
            node.authority.allow_power(motors_on=powered)
        client = node.link.robot.ensure_client(PowerClient.default_service_name)
        power_on_motors(client, timeout_sec=_LONGEST_S, update_frequency=5.0, timeout=3.0)

    def _power_off(self) -> None:
        client = self._node.link.robot.ensure_client(PowerClient.default_service_name)
        power_off_motors(client, timeout_sec=_LONGEST_S, update_frequency=5.0, timeout=3.0)

    def _stand(self) -> None:
        done = basic_command_pb2.StandCommand.Feedback.STATUS_IS_STANDING
        self._until(
            Builder.synchro_stand_command(),
            lambda feedback: feedback.mobility_command_feedback.stand_feedback.status == done,
        )

    def _sit(self) -> None:
        done = basic_command_pb2.SitCommand.Feedback.STATUS_IS_SITTING
        self._until(
            Builder.synchro_sit_command(),
            lambda feedback: feedback.mobility_command_feedback.sit_feedback.status == done,
        )

    def _home(self) -> None:
        self._until(Builder.arm_ready_command(), _arm_is_there)

    def _sleep(self) -> None:
        """Close the gripper, stow the arm, sit down."""
        self._until(Builder.arm_stow_command(Builder.claw_gripper_open_fraction_command(0.0)), _arm_is_there)
        self._sit()

    def _walk(self, place: Pose) -> None:
        x_m, y_m, _ = place.position_m
        arrived = basic_command_pb2.SE2TrajectoryCommand.Feedback.STATUS_AT_GOAL
        number = self._node.link.walk(x_m, y_m, place.yaw_rad, time.time() + _LONGEST_S)
        self._wait(
            number,
            lambda feedback: feedback.mobility_command_feedback.se2_trajectory_feedback.status == arrived,
        )

    def _until(self, command: Any, is_done: Callable[[Any], bool]) -> None:
        """Send a command and wait until it is done."""
        self._wait(self._node.link.commands.robot_command(command, timeout=3.0), is_done)

    def _wait(self, number: int, is_done: Callable[[Any], bool]) -> None:
        """Wait until a command is done.

        Raises:
            BrokenOff: if another order stopped it.
            TheiaError: if it takes too long.
        """
        commands = self._node.link.commands
        give_up_s = time.monotonic() + _LONGEST_S
        while not is_done(
            commands.robot_command_feedback(number, timeout=3.0).feedback.synchronized_feedback
        ):
            if self._broken_off.wait(_LOOK_S):
                raise BrokenOff("it was broken off")
            if time.monotonic() > give_up_s:
                raise TheiaError(f"not done within {_LONGEST_S:.0f} s")


def _arm_is_there(feedback: Any) -> bool:
    named = feedback.arm_command_feedback.named_arm_position_feedback
    return named.status == named.STATUS_COMPLETE
