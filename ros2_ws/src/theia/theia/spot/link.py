"""The connection to the robot: login, time, state, pictures, commands. Every call may wait, none for long."""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

from bosdyn.api import geometry_pb2, image_pb2, world_object_pb2
from bosdyn.client import create_standard_sdk
from bosdyn.client.auth import AuthResponseError
from bosdyn.client.frame_helpers import get_a_tform_b
from bosdyn.client.image import ImageClient, build_image_request
from bosdyn.client.robot_command import RobotCommandBuilder, RobotCommandClient
from bosdyn.client.robot_id import RobotIdClient
from bosdyn.client.robot_state import RobotStateClient
from bosdyn.client.world_object import WorldObjectClient
from bosdyn.util import duration_to_seconds, seconds_to_timestamp
from scipy.spatial.transform import Rotation

from theia.spot.login import Login
from theia.spot.reading import BODY, ODOM, VISION, RobotReading, pose_of, reading_of
from theia.spot.reasons import SDK_ERRORS, reason_of
from theia_core.actions.poses import Pose
from theia_core.errors import TheiaError

CONNECT_S, STATE_S, COMMAND_S, PICTURE_S = 5.0, 0.5, 0.5, 2.0
_SYNC_PERIOD_S = 0.5
_LOGIN_PERIOD_S = 1.0
_QUALITY = 95


class Unreachable(TheiaError):
    """There is no connection to the robot at present."""


class SpotLink:
    """A robot that is logged in to, its clock in sync.

    Attributes:
        robot: the SDK's robot object.
    """

    def __init__(self, hostname: str, port: int, certificate: str, login: Login) -> None:
        """Connect.

        Args:
            hostname: of the robot.
            port: 443 on the robot.
            certificate: file with the robot's certificate; empty for the one that the SDK brings.
            login: user name and password.

        Raises:
            Unreachable: if there is no connection; trying again may work.
            TheiaError: if the robot refuses the login, or the certificate's file is missing.
        """
        logging.getLogger("bosdyn").setLevel(logging.CRITICAL)  # its troubles come as exceptions, too
        self._login, self._where = login, f"{hostname}:{port}"
        try:
            sdk = create_standard_sdk("theia-spot-bridge", cert_resource_glob=certificate or None)
        except OSError:
            raise Unreachable(f"no certificate {certificate}: does the simulator run?") from None
        sdk.logger.setLevel(logging.CRITICAL)
        self.robot = sdk.create_robot(hostname)
        self.robot.logger.setLevel(logging.CRITICAL)
        self.robot.update_secure_channel_port(port)  # before any call
        self._login_at_s = 0.0
        self._login_lock = threading.Lock()
        try:
            self.robot.ensure_client(RobotIdClient.default_service_name).get_id(timeout=CONNECT_S)
            self.robot.authenticate(login.username, login.password, timeout=CONNECT_S)
            self.robot.start_time_sync(_SYNC_PERIOD_S)
            self._sync = self.robot.time_sync
            self._sync.wait_for_sync(timeout_sec=CONNECT_S)
            self._state = self.robot.ensure_client(RobotStateClient.default_service_name)
            self._images = self.robot.ensure_client(ImageClient.default_service_name)
            self._objects = self.robot.ensure_client(WorldObjectClient.default_service_name)
            self.commands = self.robot.ensure_client(RobotCommandClient.default_service_name)
        except AuthResponseError as error:
            self.close()
            raise TheiaError(f"{self._where}: {reason_of(error)}") from None
        except SDK_ERRORS as error:
            self.close()
            raise Unreachable(f"{self._where}: {reason_of(error)}") from None

    def close(self) -> None:
        """End the threads of the SDK."""
        self.robot._shutdown()  # what its context manager does at the end
        self.robot.shutdown()

    # --- time ---

    @property
    def skew_s(self) -> float:
        """How far the robot's clock is ahead of this computer's.

        Raises:
            NotEstablishedError: of the SDK, while they are not in sync.
        """
        return duration_to_seconds(self._sync.endpoint.clock_skew)

    def to_local_s(self, robot_s: float) -> float:
        """A time of the robot's clock on this computer's."""
        return robot_s - self.skew_s

    # --- in ---

    def read(self) -> RobotReading:
        """The robot's state."""
        return reading_of(self._state.get_robot_state(timeout=STATE_S))

    def refresh(self) -> None:
        """Log in again, once a second at most."""
        with self._login_lock:
            if time.monotonic() - self._login_at_s < _LOGIN_PERIOD_S:
                return
            self._login_at_s = time.monotonic()
            self.robot.authenticate(self._login.username, self._login.password, timeout=CONNECT_S)

    def keep_time(self) -> None:
        """Go on with the synchronisation, whose thread ends with the first call that fails."""
        if self._sync.stopped:
            self._sync.start()

    def sources(self) -> dict[str, Any]:
        """Image sources by name."""
        return {source.name: source for source in self._images.list_image_sources(timeout=CONNECT_S)}

    def picture(self, source: Any) -> Any:
        """The newest picture of a source, as a JPEG, in colour if it has any."""
        formats = list(source.pixel_formats)
        colour = image_pb2.Image.PIXEL_FORMAT_RGB_U8
        chosen = colour if colour in formats or not formats else image_pb2.Image.PIXEL_FORMAT_GREYSCALE_U8
        request = build_image_request(
            source.name, _QUALITY, image_format=image_pb2.Image.FORMAT_JPEG, pixel_format=chosen
        )
        return self._images.get_image([request], timeout=PICTURE_S)[0]

    def fiducials(self) -> dict[int, tuple[Pose, Pose, float]]:
        """Number -> pose in body, pose in vision, and time by the robot's clock, of the AprilTags in view."""
        kinds = [world_object_pb2.WORLD_OBJECT_APRILTAG]
        found = {}
        for thing in self._objects.list_world_objects(kinds, timeout=PICTURE_S).world_objects:
            tag, tree = thing.apriltag_properties, thing.transforms_snapshot
            frame = tag.frame_name_fiducial_filtered
            in_body, in_vision = (get_a_tform_b(tree, root, frame) for root in (BODY, VISION))
            if in_body is not None and in_vision is not None:
                stamp = thing.acquisition_time
                robot_s = stamp.seconds + stamp.nanos * 1e-9
                found[tag.tag_id] = pose_of(in_body), pose_of(in_vision), robot_s
        return found

    # --- out ---

    def hand_command(
        self,
        knots: Sequence[tuple[float, Pose]],
        gripper: float,
        reference_s: float,
        speed_m_s: float,
        speed_rad_s: float,
    ) -> Any:
        """A trajectory of the hand in frame odom, and the gripper.

        Args:
            knots: times of this computer's clock and poses.
            gripper: fraction that it should open to.
            reference_s: time of this computer's clock that the trajectory's times count from.
            speed_m_s: what the robot may not exceed, also when a command comes late.
            speed_rad_s: likewise.
        """
        claw = RobotCommandBuilder.claw_gripper_open_fraction_command(gripper)
        return RobotCommandBuilder.arm_cartesian_move_helper(
            [to_proto(pose) for _, pose in knots],
            [at_s - reference_s for at_s, _ in knots],
            ODOM,
            ref_time=seconds_to_timestamp(reference_s),
            max_linear_vel=speed_m_s,
            max_angular_vel=speed_rad_s,
            build_on_command=claw,
        )

    def send(self, command: Any) -> int:
        """Send a command; its number."""
        return self.commands.robot_command(command, timeout=COMMAND_S)

    def walk(self, x_m: float, y_m: float, yaw_rad: float, end_s: float) -> int:
        """Walk to a place in frame vision until `end_s` of this computer's clock; the command's number."""
        command = RobotCommandBuilder.synchro_se2_trajectory_point_command(x_m, y_m, yaw_rad, VISION)
        return self.commands.robot_command(command, end_time_secs=end_s, timeout=COMMAND_S)


def to_proto(pose: Pose) -> geometry_pb2.SE3Pose:
    """A Pose as the SDK's message."""
    x, y, z = map(float, pose.position_m)
    qx, qy, qz, qw = map(float, Rotation.from_matrix(pose.rotation).as_quat())
    return geometry_pb2.SE3Pose(
        position=geometry_pb2.Vec3(x=x, y=y, z=z),
        rotation=geometry_pb2.Quaternion(x=qx, y=qy, z=qz, w=qw),
    )
