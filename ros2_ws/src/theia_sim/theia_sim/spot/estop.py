"""The software e-stop: an endpoint must check in again and again, or the motors lose their power."""

import secrets
import time
from typing import Any

from bosdyn.api import estop_pb2, estop_service_pb2_grpc

from theia_sim.spot.answers import Service, answer, set_s, to_s

_CUT, _SETTLE, _NONE = (
    estop_pb2.ESTOP_LEVEL_CUT,
    estop_pb2.ESTOP_LEVEL_SETTLE_THEN_CUT,
    estop_pb2.ESTOP_LEVEL_NONE,
)


class Estop:
    """The configuration of the system and what its endpoints said last.

    Attributes:
        button: whether somebody else (a tablet, the button on the robot) has pressed an e-stop.
    """

    def __init__(self) -> None:
        """Begin without endpoints, which is an e-stop."""
        self.button = False
        self.config = estop_pb2.EstopConfig(unique_id=secrets.token_hex(4))
        self._levels: dict[str, int] = {}
        self._heard_s: dict[str, float] = {}
        self._challenges: dict[str, int] = {}

    def level(self) -> tuple[int, str]:
        """What is demanded now, and why."""
        if self.button:
            return _CUT, "the e-stop of another device is pressed"
        if not self._levels:
            return _CUT, "no e-stop endpoint is registered"
        worst, why = _NONE, ""
        for endpoint in self.config.endpoints:
            level = self._levels.get(endpoint.unique_id, _CUT)
            silent_s = time.monotonic() - self._heard_s.get(endpoint.unique_id, 0.0)
            said = f"endpoint {endpoint.name} demands it"
            if silent_s > to_s(endpoint.timeout) + 1e-3:
                level, said = min(level, _SETTLE), f"endpoint {endpoint.name} has been silent for too long"
            if level < worst:
                worst, why = level, said
        return worst, why

    def configure(self, config: estop_pb2.EstopConfig) -> None:
        """Replace the configuration; endpoints must register anew."""
        self.config = estop_pb2.EstopConfig()
        self.config.CopyFrom(config)
        self.config.unique_id = secrets.token_hex(4)
        for endpoint in self.config.endpoints:
            endpoint.unique_id = secrets.token_hex(4)
        self._levels, self._heard_s, self._challenges = {}, {}, {}

    def register(self, endpoint: estop_pb2.EstopEndpoint) -> estop_pb2.EstopEndpoint | None:
        """Register an endpoint of the configuration by its role; None if there is no such."""
        for known in self.config.endpoints:
            if known.role == endpoint.role:
                known.name = endpoint.name
                known.timeout.CopyFrom(endpoint.timeout)
                self._levels[known.unique_id] = _CUT
                self._heard_s[known.unique_id] = time.monotonic()
                return known
        return None

    def deregister(self, endpoint: estop_pb2.EstopEndpoint) -> bool:
        """Forget an endpoint."""
        return self._levels.pop(endpoint.unique_id, None) is not None

    def check_in(self, request: estop_pb2.EstopCheckInRequest) -> tuple[int, int]:
        """Status of the answer and the next challenge; only a right answer to the last one counts."""
        status, identifier = estop_pb2.EstopCheckInResponse.Status, request.endpoint.unique_id
        if identifier not in self._levels:
            return status.STATUS_ENDPOINT_UNKNOWN, 0
        challenge = self._challenges.get(identifier)
        self._challenges[identifier] = following = secrets.randbits(63)
        if challenge is None or request.response != (~challenge & (2**64 - 1)):
            return status.STATUS_INCORRECT_CHALLENGE_RESPONSE, following
        self._levels[identifier], self._heard_s[identifier] = request.stop_level, time.monotonic()
        return status.STATUS_OK, following

    def fill(self, status: estop_pb2.EstopSystemStatus) -> None:
        """Write what the system does now."""
        status.stop_level, status.stop_level_details = self.level()
        for endpoint in self.config.endpoints:
            entry = status.endpoints.add(stop_level=self._levels.get(endpoint.unique_id, _CUT))
            entry.endpoint.CopyFrom(endpoint)
            set_s(
                entry.time_since_valid_response,
                min(time.monotonic() - self._heard_s.get(endpoint.unique_id, 0.0), 1e6),
            )


class EstopService(Service, estop_service_pb2_grpc.EstopServiceServicer):
    """Configuration, registration and check-ins."""

    @answer(estop_pb2.GetEstopConfigResponse)
    def GetEstopConfig(self, request: Any, response: Any) -> None:
        """The configuration."""
        response.active_config.CopyFrom(self.robot.estop.config)

    @answer(estop_pb2.SetEstopConfigResponse)
    def SetEstopConfig(self, request: Any, response: Any) -> None:
        """Replace the configuration, with the motors off."""
        estop = self.robot.estop
        if request.target_config_id != estop.config.unique_id:
            response.status = response.STATUS_INVALID_ID
        elif self.robot.power.is_on:
            response.status = response.STATUS_MOTORS_ON
        else:
            estop.configure(request.config)
            response.status = response.STATUS_SUCCESS
        response.active_config.CopyFrom(estop.config)

    @answer(estop_pb2.RegisterEstopEndpointResponse)
    def RegisterEstopEndpoint(self, request: Any, response: Any) -> None:
        """An endpoint takes its place."""
        response.request.CopyFrom(request)
        if request.target_config_id != self.robot.estop.config.unique_id:
            response.status = response.STATUS_CONFIG_MISMATCH
            return
        endpoint = self.robot.estop.register(request.new_endpoint)
        if endpoint is None:
            response.status = response.STATUS_ENDPOINT_MISMATCH
            return
        response.status = response.STATUS_SUCCESS
        response.new_endpoint.CopyFrom(endpoint)

    @answer(estop_pb2.DeregisterEstopEndpointResponse)
    def DeregisterEstopEndpoint(self, request: Any, response: Any) -> None:
        """An endpoint leaves; not while the motors are on."""
        response.request.CopyFrom(request)
        if self.robot.power.is_on:
            response.status = response.STATUS_MOTORS_ON
        elif self.robot.estop.deregister(request.target_endpoint):
            response.status = response.STATUS_SUCCESS
        else:
            response.status = response.STATUS_ENDPOINT_MISMATCH

    @answer(estop_pb2.EstopCheckInResponse)
    def EstopCheckIn(self, request: Any, response: Any) -> None:
        """An endpoint says what it demands."""
        response.request.CopyFrom(request)
        response.status, response.challenge = self.robot.estop.check_in(request)
        self.robot.obey_estop()

    @answer(estop_pb2.GetEstopSystemStatusResponse)
    def GetEstopSystemStatus(self, request: Any, response: Any) -> None:
        """What the system demands now."""
        self.robot.estop.fill(response.status)
