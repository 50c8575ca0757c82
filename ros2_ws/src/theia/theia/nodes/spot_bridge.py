"""The bridge to Spot, in the place that the guard has with a WidowX: chunks in, trajectories of the hand out.

Threads: callbacks and the guard's 50 Hz ticks in one; state, pictures, slow things, commands and slow orders
in one each, as every call to the robot may wait. `theia.nodes.spot_orders` has the orders.
"""

import sys
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from geometry_msgs.msg import PoseStamped
from theia_msgs.msg import ActionChunk as ChunkMessage

from theia.messages.chunks import chunk_from_message
from theia.messages.poses import pose_of_message
from theia.messages.stamps import Now
from theia.nodekit.calls import UNDER_WAY
from theia.nodekit.lifecycle import ManagedNode, NotReady
from theia.nodekit.main import run_node
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.qos import STREAM
from theia.nodes.guard_reports import GuardReports, Numbers
from theia.topics import ACTION_CHUNK, WALK_TO
from theia_core.actions.guard_state import GuardMode
from theia_core.actions.hand_guard import HandGuard
from theia_core.actions.hand_profile import load_hand_profile
from theia_core.actions.hand_state import STATE_NAMES
from theia_core.actions.poses import Pose
from theia_core.actions.spaces import EE_POSE
from theia_core.errors import MissingExtraError

if TYPE_CHECKING:
    from theia.nodes.spot_publishers import Arrival
    from theia.spot.reading import RobotReading

_CLOCK_TOLERANCE_S = 0.1  # a change of the skew beyond this is no jitter
_STAMP_TOLERANCE_S = 0.5  # a state stamped further off was not stamped by the clock that we know
_AHEAD = 2  # actions sent beyond the present one: what the arm still does if this process dies
_STOP_S = 0.1
_FAST_ENOUGH = 2.0  # times the speed of the guard's steps: what a trajectory may ask of the robot
_TIMEOUTS = 2  # commands in a row that the robot did not answer


@dataclass(frozen=True)
class BridgeParameters:
    """Parameters of the bridge; user name and password are none."""

    hostname: str = parameter("192.168.80.3", "name or address of the robot")
    port: int = parameter(443, "port of the robot's services", low=1, high=65535)
    certificate: str = parameter("", "file with the robot's certificate; empty for the one of bosdyn-client")
    credentials_file: str = parameter(
        "",
        "JSON file with username and password that only you can read; empty for the environment's "
        "BOSDYN_CLIENT_USERNAME and BOSDYN_CLIENT_PASSWORD",
    )
    robot: str = parameter("spot_arm", "shipped name or YAML file of the robot profile")
    task: str = parameter("drawer", "task whose workspace applies")
    image_source: str = parameter("frontleft_fisheye_image", "camera of the robot that the policy sees")
    width: int = parameter(640, "width of the upright picture in pixels", low=32, high=1920)
    height: int = parameter(480, "height of the upright picture in pixels", low=32, high=1080)
    camera_rate_hz: float = parameter(10.0, "pictures per second", low=0.5, high=30.0)
    state_rate_hz: float = parameter(25.0, "states of the robot per second", low=10.0, high=60.0)
    estop_timeout_s: float = parameter(
        5.0,
        "silence of this process after which the robot sits down, motors off [s]",
        low=1.0,
        high=60.0,
    )


class SpotBridgeNode(ManagedNode):
    """A thin shell around theia_core.actions.hand_guard.HandGuard and theia.spot.

    Attributes:
        guard, link, authority, sender, orders: the parts, from `configure` on.
        newest: the newest state of the robot, None before the first.
    """

    def __init__(self) -> None:
        """Declare parameters; `configure` connects."""
        super().__init__("spot_bridge")
        self.parameters = declare(self, BridgeParameters)
        self.newest: RobotReading | None = None
        self._arrival: Arrival | None = None
        self._troubles: deque[Exception] = deque(maxlen=20)

    def configure(self) -> None:
        """Log in, begin to publish what the robot says, look for the camera."""
        try:
            from theia.nodes.spot_orders import SpotOrders
            from theia.nodes.spot_publishers import SpotPublishers
            from theia.spot.authority import Authority
            from theia.spot.link import SpotLink, Unreachable
            from theia.spot.login import NoLoginFile, read_login
            from theia.spot.sender import CommandSender
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in ("bosdyn", "grpc", "google"):
                raise
            raise MissingExtraError("bosdyn-client", "spot") from None
        wanted = self.parameters
        self.profile = load_hand_profile(wanted.robot)
        self.guard = HandGuard(self.profile, wanted.task)
        try:
            login = read_login(wanted.credentials_file)
            self.link = SpotLink(wanted.hostname, wanted.port, _path(wanted.certificate), login)
        except (NoLoginFile, Unreachable) as error:
            raise NotReady(f"waiting for the robot: {error}") from None
        self.authority = Authority(self.link.robot, wanted.estop_timeout_s, self._troubles.append)
        self.sender = CommandSender(self.link.send, self._troubles.append)
        self._senses = SpotPublishers(self, self.link, wanted)
        self._reset_run()
        self._reports = GuardReports(
            self, self.guard, self._numbers, step_s=self.profile.guard.step_s, action_space=EE_POSE.name
        )
        self._listening = [
            self.create_subscription(ChunkMessage, ACTION_CHUNK, self._on_chunk, STREAM),
            self.create_subscription(PoseStamped, WALK_TO, self._on_walk_to, STREAM),
        ]
        self.orders = SpotOrders(self)
        self.diagnostics.include("command_ms", self.sender.round_trip_ms)
        self.diagnostics.before_publishing(self._gather)
        self.get_logger().info(
            f"logged in to {wanted.hostname}, its clock is {self.link.skew_s:+.3f} s ahead"
        )

    def activate(self) -> None:
        """Begin to obey orders; the robot is left as it is until then."""
        if self._senses.newest is None:
            raise NotReady("no state of the robot yet")
        if not self._senses.sees:
            raise NotReady(f"no picture of {self.parameters.image_source} yet")
        self.guard.disarm(time.monotonic())
        self._tick_timer = self.create_timer(self.profile.guard.tick_s, self._tick)

    def deactivate(self) -> None:
        """Leave the arm holding; lease and e-stop stay what they are."""
        self.guard.hold(time.monotonic(), "the bridge was shut down; the arm holds")
        self._tick()
        self.destroy_timer(self._tick_timer)
        self._reports.finish()
        time.sleep(2 * _STOP_S)  # the last command is under way in another thread

    def clean_up(self) -> None:
        """Give back the lease, log out."""
        self.diagnostics.before_publishing(None)
        self.orders.close()
        self._senses.close()
        for subscription in self._listening:
            self.destroy_subscription(subscription)
        self._reports.close()
        self.sender.close()
        self.authority.close()
        self.link.close()
        del self.link

    def shut_down(self) -> None:
        """Hold, give back the lease; the robot's own time limits do the rest."""
        super().shut_down()
        if hasattr(self, "link"):
            self.clean_up()

    # --- orders that SpotOrders passes on ---

    def arm(self, now_s: float) -> str | None:
        """Accept chunks; from IDLE a run begins, whose root frame is where the body stands now."""
        if refusal := self._why_not_arm(now_s):
            return refusal
        assert self.newest is not None
        if self.guard.mode == GuardMode.IDLE:
            self._reset_run()
            self._odom_tform_root = self._root_of(self.newest)
            self.guard.on_joint_state(now_s, self.newest.state(self._odom_tform_root))
        if refusal := self.guard.arm(now_s):
            return refusal
        self._reference_s, self._skew_s = time.time(), self.link.skew_s
        self._refusals = self.guard.refusals.total()
        return None

    def stop_robot(self) -> None:
        """Cancel whatever the robot does, also what nobody here began."""
        from bosdyn.client.robot_command import RobotCommandBuilder

        self.sender.put(RobotCommandBuilder.stop_command())
        self._streaming = False

    def publish_change(self) -> None:
        """Publish the state at once if mode or reason are not those shown last."""
        self._reports.publish_change()

    def _why_not_arm(self, now_s: float) -> str | None:
        from theia.spot.reasons import SDK_ERRORS, reason_of

        if self.guard.mode.is_stop:
            return f"{self.guard.mode.name}: {self.guard.reason}; clear it first"
        if self.orders.job:
            return f"{self.orders.job} {UNDER_WAY}, or `hold` to break it off"
        arrival = self._senses.newest
        if arrival is None or now_s - arrival.came_s > self.profile.guard.state_timeout_s:
            return f"no recent state of the robot: {self._senses.trouble or 'it is silent'}"
        if not self.authority.has_lease:
            return "no lease; order take_lease"
        try:
            self.link.skew_s  # noqa: B018 - raises while the clocks are not in sync
        except SDK_ERRORS as error:
            return reason_of(error)
        reading = arrival.reading
        return f"e-stop: {reading.estop}" if reading.estop else reading.trouble or _skew(arrival) or None

    # --- in ---

    def _on_chunk(self, message: ChunkMessage) -> None:
        if not self.is_active:
            return
        now = Now.of(self)
        chunk = chunk_from_message(message, now)
        refusal = self.guard.on_chunk(now.monotonic_s, chunk)
        self.diagnostics.rate("chunks").tick()
        if refusal is None:
            self.diagnostics.samples("observation_to_guard_ms").add((now.monotonic_s - chunk.stamp_s) * 1000)
        self.publish_change()

    def _on_walk_to(self, message: PoseStamped) -> None:
        if not self.is_active:
            return
        place = pose_of_message(message.pose)
        refusal = self.orders.walk_to(Now.of(self), message.header.frame_id, place, message.header.stamp)
        if refusal:
            self.get_logger().warning(f"not walking: {refusal}")

    @property
    def tags(self) -> dict[str, Pose]:
        """Poses in frame vision of the fiducials in view, by the names of their frames."""
        return self._senses.tags

    def _take_reading(self, now_s: float) -> None:
        """Hand the newest state to the guard, and publish it in the run's root frame."""
        arrival = self._senses.newest
        if arrival is None or arrival is self._arrival:
            return
        self._arrival, self.newest = arrival, arrival.reading
        if self.guard.mode == GuardMode.IDLE:
            self._odom_tform_root = self._root_of(arrival.reading)
        state = arrival.reading.state(self._odom_tform_root)
        self._observed = state
        self.guard.on_joint_state(arrival.came_s, state)
        self._senses.publish_hand(arrival, state)

    def _supervise(self, now_s: float) -> None:
        """Stop for everything that the guard cannot know."""
        from theia.spot.reasons import SDK_ERRORS, reason_of

        while self._troubles:
            self._take_trouble(now_s, self._troubles.popleft())
        if self.newest is None or self._arrival is None:
            return
        if self.newest.estop and (self.guard.mode.commands or self.guard.mode == GuardMode.FAULT):
            self.guard.estop(now_s, f"e-stop: {self.newest.estop}")
        if not self.guard.mode.commands:
            return
        silent_s = now_s - self._arrival.came_s
        if silent_s > self.profile.guard.state_timeout_s:
            why = self._senses.trouble or "it is silent"
            self.guard.fault(now_s, f"no state of the robot for {silent_s:.2f} s: {why}")
        elif self.newest.trouble:
            self.guard.fault(now_s, self.newest.trouble)
        elif not self.authority.has_lease:
            self.guard.fault(now_s, "the lease is lost: another client has taken it; order take_lease")
        elif skew := _skew(self._arrival):
            self.guard.fault(now_s, skew)
        else:
            try:
                moved_s = self.link.skew_s - self._skew_s
            except SDK_ERRORS as error:
                self.guard.fault(now_s, reason_of(error))
                return
            if abs(moved_s) > _CLOCK_TOLERANCE_S:
                self.guard.fault(now_s, f"time skew: a clock was set by {moved_s:+.2f} s")

    def _take_trouble(self, now_s: float, error: Exception) -> None:
        """An error of a command or of the lease, from another thread."""
        from bosdyn.client.exceptions import LeaseUseError, RpcError

        from theia.spot.reasons import reason_of

        self.diagnostics.counts["failed_calls"] += 1
        why = reason_of(error)
        if isinstance(error, RpcError):  # one may be lost in the air; states that stay away stop us anyway
            if self.sender.failed_in_a_row < _TIMEOUTS:
                return
            why = f"commands do not get through: {why}"
        elif isinstance(error, LeaseUseError) and self.authority.has_lease:
            return  # the answer to a call with a lease that was renewed meanwhile
        if self.guard.mode.commands:
            self.guard.fault(now_s, why)

    # --- out ---

    def _tick(self) -> None:
        started_s = time.monotonic()
        self._take_reading(started_s)
        self._supervise(started_s)
        self.guard.tick(started_s)
        self._command(started_s)
        self.orders.report()
        self._reports.publish_executed()
        self.publish_change()
        self.diagnostics.samples("tick_ms").add((time.monotonic() - started_s) * 1000)

    def _command(self, now_s: float) -> None:
        """Send the trajectory of a step that has begun; stop the arm once when nothing more is to be done."""
        guard, here = self.guard, self.guard.commanded(now_s)
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
        """Send poses in the root frame at times of the monotonic clock."""
        to_wall_s = time.time() - now_s
        limits = self.profile.guard
        self.sender.put(
            self.link.hand_command(
                [(at_s + to_wall_s, self._odom_tform_root @ pose) for at_s, pose in knots],
                gripper,
                self._reference_s,
                _FAST_ENOUGH * limits.max_step_m / limits.step_s,
                _FAST_ENOUGH * limits.max_step_rad / limits.step_s,
            )
        )
        self.diagnostics.rate("commands").tick()

    def _reset_run(self) -> None:
        """Forget what was sent in the last run."""
        self._odom_tform_root = Pose()
        self._reference_s, self._skew_s = time.time(), self.link.skew_s
        self._sent_step: Any = None
        self._streaming, self._refusals = False, 0
        self._past: list[tuple[float, Pose]] = []
        self._observed: np.ndarray | None = None

    @staticmethod
    def _root_of(reading: "RobotReading") -> Pose:
        from theia.spot.reading import upright

        return upright(reading.odom_tform_body)

    def _numbers(self) -> Numbers:
        goal = self.guard.commanded(time.monotonic())
        return Numbers(STATE_NAMES, self._observed, goal.action if goal else None)

    def _gather(self) -> None:
        self._reports.gather()
        facts, counts = self.diagnostics.facts, self.diagnostics.counts
        counts["commands_expired"] = self.sender.expired
        facts["lease"] = "held" if self.authority.has_lease else self._senses.owner or "nobody"
        facts["estop_endpoint"] = "this node" if self.authority.is_endpoint else "another or none"
        facts["order"], facts["order_trouble"] = self.orders.job, self.orders.trouble
        if (reading := self.newest) is not None:
            facts["battery_percent"] = f"{reading.battery_percent:.0f}"
            facts["estop"], facts["faults"] = reading.estop, ", ".join(reading.faults.values())
            facts["powered"], facts["standing"] = str(reading.powered), str(reading.standing)
        trouble = self.orders.trouble or self._senses.trouble
        if self.is_active and (self.guard.mode.is_stop or trouble):
            self.diagnostics.warn(f"{self.guard.mode.name}: {self.guard.reason}; {trouble}".rstrip("; "))
        elif self.is_active:
            self.diagnostics.ok(f"{self.guard.mode.name}: {self.guard.reason}".rstrip(": "))


def _skew(arrival: "Arrival") -> str:
    """Why a state cannot have been stamped by the clock that we know; empty if it can."""
    if abs(arrival.off_s) <= _STAMP_TOLERANCE_S:
        return ""
    return f"time skew: the robot's state is stamped {arrival.off_s:+.2f} s off; a clock was set"


def _path(text: str) -> str:
    from pathlib import Path

    return str(Path(text).expanduser()) if text else ""


def main() -> int:
    """Run the node."""
    return run_node(SpotBridgeNode)


if __name__ == "__main__":
    sys.exit(main())
