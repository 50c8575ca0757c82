"""The bridge to Spot, in the place that the guard has with a WidowX: chunks in, trajectories of the hand out.

Threads: callbacks and the guard's 50 Hz ticks in one; state, pictures, slow things, commands and slow orders
in one each, as every call to the robot may wait. Beside this module: `spot_publishers` hears the robot,
`spot_watch` stops the guard for what it cannot know, `spot_trajectories` sends to the arm, `spot_orders` has
the operator's orders, `spot_diagnostics` what goes to /diagnostics.
"""

import sys
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from geometry_msgs.msg import PoseStamped
from theia_msgs.msg import ActionChunk as ChunkMessage

from theia.messages.chunks import chunk_from_message
from theia.messages.poses import pose_of_message
from theia.messages.stamps import Now
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

_LAST_COMMAND_S = 0.2  # what the last command may take to be under way, in another thread


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
        guard, link, authority, sender, trajectories, orders: the parts, from `configure` on.
        newest: the newest state of the robot, None before the first.
        odom_tform_root: where the body stands in odom while the guard is IDLE, and stood when it was armed.
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
            from theia.nodes.spot_diagnostics import SpotDiagnostics
            from theia.nodes.spot_orders import SpotOrders
            from theia.nodes.spot_publishers import SpotPublishers
            from theia.nodes.spot_trajectories import SpotTrajectories
            from theia.nodes.spot_watch import SpotWatch
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
        self._watch = SpotWatch(self, self._senses, self._troubles)
        self.trajectories = SpotTrajectories(self)
        self.odom_tform_root = Pose()
        self._observed: np.ndarray | None = None
        self._reports = GuardReports(
            self, self.guard, self._numbers, step_s=self.profile.guard.step_s, action_space=EE_POSE.name
        )
        self._listening = [
            self.create_subscription(ChunkMessage, ACTION_CHUNK, self._on_chunk, STREAM),
            self.create_subscription(PoseStamped, WALK_TO, self._on_walk_to, STREAM),
        ]
        self.orders = SpotOrders(self)
        self._diagnostics = SpotDiagnostics(self, self._senses, self._reports)
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
        time.sleep(_LAST_COMMAND_S)

    def clean_up(self) -> None:
        """Give back the lease, log out."""
        self._diagnostics.close()
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
        if refusal := self._watch.why_not_arm(now_s):
            return refusal
        self._take_reading()  # no tick may have done so yet
        assert self.newest is not None
        if self.guard.mode == GuardMode.IDLE:
            self.trajectories.forget_run()
            self.odom_tform_root = self._root_of(self.newest)
            self._observed = self.newest.state(self.odom_tform_root)
            self.guard.on_joint_state(now_s, self._observed)
        if refusal := self.guard.arm(now_s):
            return refusal
        self._watch.begin()
        self.trajectories.begin()
        return None

    def publish_change(self) -> None:
        """Publish the state at once if mode or reason are not those shown last."""
        self._reports.publish_change()

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

    def _take_reading(self) -> None:
        """Hand the newest state to the guard, and publish it in the run's root frame."""
        arrival = self._senses.newest
        if arrival is None or arrival is self._arrival:
            return
        self._arrival, self.newest = arrival, arrival.reading
        if self.guard.mode == GuardMode.IDLE:
            self.odom_tform_root = self._root_of(arrival.reading)
        state = arrival.reading.state(self.odom_tform_root)
        self._observed = state
        self.guard.on_joint_state(arrival.came_s, state)
        self._senses.publish_hand(arrival, state)

    # --- out ---

    def _tick(self) -> None:
        started_s = time.monotonic()
        self._take_reading()
        self._watch.advance(started_s, self._arrival)
        self.guard.tick(started_s)
        self.trajectories.advance(started_s)
        self.orders.report()
        self._reports.publish_executed()
        self.publish_change()
        self.diagnostics.samples("tick_ms").add((time.monotonic() - started_s) * 1000)

    @staticmethod
    def _root_of(reading: "RobotReading") -> Pose:
        from theia.spot.reading import upright

        return upright(reading.odom_tform_body)

    def _numbers(self) -> Numbers:
        goal = self.guard.commanded(time.monotonic())
        return Numbers(STATE_NAMES, self._observed, goal.action if goal else None)


def _path(text: str) -> str:
    from pathlib import Path

    return str(Path(text).expanduser()) if text else ""


def main() -> int:
    """Run the node."""
    return run_node(SpotBridgeNode)


if __name__ == "__main__":
    sys.exit(main())
