"""Who the robot is, who may log in, which services there are."""

import hmac
from typing import Any

from bosdyn.api import (
    auth_pb2,
    auth_service_pb2_grpc,
    directory_pb2,
    directory_service_pb2_grpc,
    robot_id_pb2,
    robot_id_service_pb2_grpc,
)

from theia_sim.spot.answers import Service, answer

# Names of the services in the directory, as the robot's are called, and their types.
SERVICES = {
    "auth": "AuthService",
    "directory": "DirectoryService",
    "estop": "EstopService",
    "image": "ImageService",
    "lease": "LeaseService",
    "power": "PowerService",
    "robot-command": "RobotCommandService",
    "robot-id": "RobotIdService",
    "robot-state": "RobotStateService",
    "time-sync": "TimeSyncService",
    "world-objects": "WorldObjectService",
}
_AUTHORITIES = {"robot-id": "id.spot.robot", "world-objects": "world-objects.spot.robot"}


class RobotIdService(Service, robot_id_service_pb2_grpc.RobotIdServiceServicer):
    """Answers without a login."""

    @answer(robot_id_pb2.RobotIdResponse)
    def GetRobotId(self, request: Any, response: Any) -> None:
        """Serial number, kind and version."""
        response.robot_id.serial_number = "theia-simulated-spot"
        response.robot_id.species = "spot"
        response.robot_id.version = "V3"
        response.robot_id.nickname = "simulated Spot"
        response.robot_id.software_release.version.major_version = 5
        response.robot_id.software_release.name = "simulated by Theia"


class AuthService(Service, auth_service_pb2_grpc.AuthServiceServicer):
    """Gives tokens for a user name and password, or for a token that is still good."""

    @answer(auth_pb2.GetAuthTokenResponse)
    def GetAuthToken(self, request: Any, response: Any) -> None:
        """Log in, or renew a token."""
        tokens = self.robot.tokens
        if request.token:
            known, refused = tokens.is_valid(request.token), response.STATUS_INVALID_TOKEN
        else:
            expected = self.robot.passwords.get(request.username, "")
            known = bool(expected) and hmac.compare_digest(expected, request.password)
            refused = response.STATUS_INVALID_LOGIN
        response.status = response.STATUS_OK if known else refused
        if known:
            response.token = tokens.issue()


class DirectoryService(Service, directory_service_pb2_grpc.DirectoryServiceServicer):
    """Lists the services."""

    @answer(directory_pb2.ListServiceEntriesResponse)
    def ListServiceEntries(self, request: Any, response: Any) -> None:
        """All of them."""
        response.service_entries.extend(_entry(name) for name in SERVICES)

    @answer(directory_pb2.GetServiceEntryResponse)
    def GetServiceEntry(self, request: Any, response: Any) -> None:
        """One of them."""
        if request.service_name not in SERVICES:
            response.status = response.STATUS_NONEXISTENT_SERVICE
            return
        response.status = response.STATUS_OK
        response.service_entry.CopyFrom(_entry(request.service_name))


def _entry(name: str) -> directory_pb2.ServiceEntry:
    return directory_pb2.ServiceEntry(
        name=name,
        type=f"bosdyn.api.{SERVICES[name]}",
        authority=_AUTHORITIES.get(name, f"{name}.spot.robot"),
        user_token_required=name not in ("auth", "robot-id"),
    )
