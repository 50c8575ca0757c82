"""What the bridge hears from Spot, in threads of its own, and publishes: state, pictures, fiducials, battery.

Topics: observed_state (the 17 numbers of a policy), joint_states, fiducials, battery, and the picture of the
camera. Stamps are the robot's times on this computer's clock.
"""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sensor_msgs.msg import BatteryState, CompressedImage, Image, JointState
from visualization_msgs.msg import Marker, MarkerArray

from theia.messages.images import image_message, jpeg_message
from theia.messages.poses import pose_message
from theia.messages.stamps import to_time
from theia.nodekit.qos import STREAM
from theia.nodekit.ticker import Ticker
from theia.spot.authority import Authority
from theia.spot.link import SpotLink
from theia.spot.pictures import Upright, decode
from theia.spot.reading import RobotReading
from theia.spot.reasons import SDK_ERRORS, reason_of
from theia.topics import FIDUCIALS, HAND_STATE, IMAGE
from theia_core.actions.hand_state import STATE_NAMES
from theia_core.actions.poses import Pose

if TYPE_CHECKING:
    from theia.nodes.spot_bridge import BridgeParameters, SpotBridgeNode

_SLOW_PERIOD_S = 0.5
_TAG_M = 0.146


@dataclass(frozen=True)
class Arrival:
    """A state of the robot.

    Attributes:
        reading: what it says.
        came_s: when it came, on the monotonic clock.
        local_s: when it was measured, on this computer's clock.
        off_s: by how much its stamp lies outside the time in which it was asked for and came.
    """

    reading: RobotReading
    came_s: float
    local_s: float
    off_s: float


class SpotPublishers:
    """Asks the robot again and again.

    Attributes:
        newest: newest state, None before the first.
        trouble: why there is none now; empty if there is.
        sees: whether pictures come.
        owner: name of the client that has the lease.
        tags: name of its frame -> pose in frame vision, of the fiducials in view.
    """

    def __init__(self, node: "SpotBridgeNode", link: SpotLink, wanted: "BridgeParameters") -> None:
        """Begin.

        Raises:
            TheiaError: if the robot has no such camera.
        """
        self._node, self._link, self._source_name = node, link, wanted.image_source
        self._upright = Upright(wanted.image_source, (wanted.width, wanted.height))
        self._source: Any = None
        self.newest: Arrival | None = None
        self.trouble, self.sees, self.owner = "", False, ""
        self.tags: dict[str, Pose] = {}
        space = node.profile.namespace
        self._hand = node.create_publisher(JointState, HAND_STATE, STREAM)
        self._joints = node.create_publisher(JointState, f"{space}/joint_states", STREAM)
        self._battery = node.create_publisher(BatteryState, f"{space}/battery", STREAM)
        self._fiducials = node.create_publisher(MarkerArray, FIDUCIALS, STREAM)
        self._images = node.create_publisher(Image, IMAGE, STREAM)
        self._jpegs = node.create_publisher(
            CompressedImage, f"{node.resolve_topic_name(IMAGE)}/compressed", STREAM
        )
        self._tickers = [
            Ticker(1 / wanted.state_rate_hz, self._read, "spot state", self._crashed),
            Ticker(1 / wanted.camera_rate_hz, self._picture, "spot camera", self._crashed),
            Ticker(_SLOW_PERIOD_S, self._look_around, "spot slow", self._crashed),
        ]
        for ticker in self._tickers:
            ticker.start()

    def close(self) -> None:
        """End."""
        for ticker in self._tickers:
            ticker.stop()
        for publisher in (
            self._hand,
            self._joints,
            self._battery,
            self._fiducials,
            self._images,
            self._jpegs,
        ):
            self._node.destroy_publisher(publisher)

    def publish_hand(self, arrival: Arrival, state: np.ndarray) -> None:
        """Publish the state (17,) that a policy is told, and all joints."""
        stamp = to_time(arrival.local_s)
        hand = JointState(name=list(STATE_NAMES), position=state.astype(float).tolist())
        joints = JointState(
            name=list(arrival.reading.joints),
            position=[position for position, _ in arrival.reading.joints.values()],
            velocity=[velocity for _, velocity in arrival.reading.joints.values()],
        )
        hand.header.stamp = joints.header.stamp = stamp
        self._hand.publish(hand)
        self._joints.publish(joints)
        self._node.diagnostics.rate("states").tick()

    # --- in the thread of each ---

    def _read(self) -> None:
        asked_s = time.time()
        try:
            reading = self._link.read()
            answered_s, came_s = time.time(), time.monotonic()
            local_s = self._link.to_local_s(reading.robot_s)
        except SDK_ERRORS as error:
            self.trouble = reason_of(error)
            self._log_in_again(error)
            return
        off_s = min(local_s - asked_s, 0.0) + max(local_s - answered_s, 0.0)
        self.newest = Arrival(reading, came_s, local_s, off_s)
        self.trouble = ""

    def _log_in_again(self, error: Exception) -> None:
        """A token that has expired is renewed; that gives no authority over the robot."""
        from bosdyn.client.exceptions import UnauthenticatedError

        if not isinstance(error, UnauthenticatedError):
            return
        try:
            self._link.refresh()
        except SDK_ERRORS as again:
            self.trouble = reason_of(again)

    def _picture(self) -> None:
        started_s = time.monotonic()
        try:
            if self._source is None:
                self._source = self._link.sources().get(self._source_name)
                if self._source is None:
                    self._node.outcome.fail(f"the robot has no image source {self._source_name}")
                    return
            response = self._link.picture(self._source)
            stamp = response.shot.acquisition_time
            local_s = self._link.to_local_s(stamp.seconds + stamp.nanos * 1e-9)
        except SDK_ERRORS:
            self.sees, self._source = False, None  # an older camera may have come in its place
            self._node.diagnostics.counts["lost_pictures"] += 1
            return
        rgb = self._upright(decode(response))
        message = image_message(rgb, to_time(local_s), self._source_name)
        self._images.publish(message)
        if self._jpegs.get_subscription_count():
            self._jpegs.publish(jpeg_message(rgb, message.header.stamp, self._source_name))
        self.sees = True
        self._node.diagnostics.samples("picture_ms").add((time.monotonic() - started_s) * 1000)
        self._node.diagnostics.rate("pictures").tick()

    def _look_around(self) -> None:
        try:
            self._link.keep_time()
            authority: Authority = self._node.authority
            self.owner = authority.owner()
            found = self._link.fiducials()
            self.tags = {f"fiducial_{tag}": in_vision for tag, (_, in_vision, _) in found.items()}
            markers = [self._marker(tag, pose, robot_s) for tag, (pose, _, robot_s) in found.items()]
        except SDK_ERRORS:
            return
        self._fiducials.publish(MarkerArray(markers=markers))
        arrival = self.newest
        if arrival is not None:
            battery = BatteryState(percentage=arrival.reading.battery_percent / 100.0, present=True)
            battery.header.stamp = to_time(arrival.local_s)
            self._battery.publish(battery)

    def _marker(self, tag: int, pose: Pose, robot_s: float) -> Marker:
        """An AprilTag in frame body."""
        marker = Marker(ns="fiducials", id=tag, type=Marker.CUBE, action=Marker.ADD)
        marker.header.frame_id, marker.header.stamp = "body", to_time(self._link.to_local_s(robot_s))
        marker.pose = pose_message(pose)
        marker.scale.x = marker.scale.y = _TAG_M
        marker.scale.z, marker.color.a = 0.005, 1.0
        return marker

    def _crashed(self, error: BaseException) -> None:
        self._node.outcome.crash("the bridge stopped listening to the robot", error)
