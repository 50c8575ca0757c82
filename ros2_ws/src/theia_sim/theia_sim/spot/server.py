"""The gRPC server of the simulated Spot: all services on one port of this machine, over TLS."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from bosdyn.api import (
    auth_service_pb2_grpc,
    directory_service_pb2_grpc,
    estop_service_pb2_grpc,
    image_service_pb2_grpc,
    lease_service_pb2_grpc,
    power_service_pb2_grpc,
    robot_command_service_pb2_grpc,
    robot_id_service_pb2_grpc,
    robot_state_service_pb2_grpc,
    time_sync_service_pb2_grpc,
    world_object_service_pb2_grpc,
)

from theia_core.errors import TheiaError
from theia_sim.spot.certificate import Identity
from theia_sim.spot.commands import RobotCommandService
from theia_sim.spot.estop import EstopService
from theia_sim.spot.gate import Gate
from theia_sim.spot.identity import AuthService, DirectoryService, RobotIdService
from theia_sim.spot.images import ImageService
from theia_sim.spot.leases import LeaseService
from theia_sim.spot.objects import WorldObjectService
from theia_sim.spot.power import PowerService
from theia_sim.spot.robot import SimulatedSpot
from theia_sim.spot.state import RobotStateService
from theia_sim.spot.time_sync import TimeSyncService

DEFAULT_PORT = 8443
_THREADS = 48  # an outage keeps a thread for every request that waits
_SERVICES: tuple[tuple[Callable[..., None], type], ...] = (
    (auth_service_pb2_grpc.add_AuthServiceServicer_to_server, AuthService),
    (directory_service_pb2_grpc.add_DirectoryServiceServicer_to_server, DirectoryService),
    (estop_service_pb2_grpc.add_EstopServiceServicer_to_server, EstopService),
    (image_service_pb2_grpc.add_ImageServiceServicer_to_server, ImageService),
    (lease_service_pb2_grpc.add_LeaseServiceServicer_to_server, LeaseService),
    (power_service_pb2_grpc.add_PowerServiceServicer_to_server, PowerService),
    (robot_command_service_pb2_grpc.add_RobotCommandServiceServicer_to_server, RobotCommandService),
    (robot_id_service_pb2_grpc.add_RobotIdServiceServicer_to_server, RobotIdService),
    (robot_state_service_pb2_grpc.add_RobotStateServiceServicer_to_server, RobotStateService),
    (time_sync_service_pb2_grpc.add_TimeSyncServiceServicer_to_server, TimeSyncService),
    (world_object_service_pb2_grpc.add_WorldObjectServiceServicer_to_server, WorldObjectService),
)


class SpotServer:
    """Serves a robot on 127.0.0.1.

    Attributes:
        port: where; the one that was asked for, or a free one for 0.
    """

    def __init__(self, robot: SimulatedSpot, identity: Identity, port: int = DEFAULT_PORT) -> None:
        """Begin to serve.

        Raises:
            TheiaError: if the port is taken.
        """
        self._robot, self._identity, self.port = robot, identity, port
        self._lock = threading.Lock()
        self._server: Any = None
        self.start()

    def start(self) -> None:
        """Open the port, unless it is open."""
        with self._lock:
            if self._server is None:
                self._server = self._open()

    def stop(self) -> None:
        """Close the port and break off what is being answered."""
        with self._lock:
            if self._server is not None:
                self._server.stop(0).wait(2.0)
            self._server = None

    def restart(self, after_s: float) -> None:
        """Switch the robot's computer off, and on again `after_s` later, with an empty memory."""
        self.stop()
        with self._robot.lock:
            self._robot.cut_power("the robot's computer restarts")
            self._robot.boot()
        timer = threading.Timer(after_s, self.start)
        timer.daemon = True
        timer.start()

    def _open(self) -> Any:
        server = grpc.server(
            ThreadPoolExecutor(_THREADS, "spot rpc"),
            interceptors=[Gate(self._robot.network, self._robot.tokens)],
            options=[("grpc.so_reuseport", 0), ("grpc.max_send_message_length", 16 * 2**20)],
        )
        for add, service in _SERVICES:
            add(service(self._robot), server)
        credentials = grpc.ssl_server_credentials([(self._identity.key, self._identity.certificate)])
        try:
            self.port = server.add_secure_port(f"127.0.0.1:{self.port}", credentials)
        except RuntimeError:
            raise TheiaError(
                f"port {self.port} of this machine is taken; end what uses it or choose another"
            ) from None
        server.start()
        return server
