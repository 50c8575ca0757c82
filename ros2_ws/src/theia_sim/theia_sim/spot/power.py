"""Power of the motors."""

from typing import Any

from bosdyn.api import estop_pb2, license_pb2, power_pb2, power_service_pb2_grpc

from theia_sim.spot.answers import InvalidRequest, Service, answer

_SWITCHING_S = 0.3


class Power:
    """Whether the motors have power; switching on takes a moment.

    Attributes:
        is_on: whether they have.
    """

    def __init__(self) -> None:
        """Begin without."""
        self.is_on = False
        self._on_at_s: float | None = None
        self._statuses: list[int] = []

    @property
    def is_switching(self) -> bool:
        """Whether it is being switched on."""
        return self._on_at_s is not None

    def begin(self, on: bool, now_s: float) -> int:
        """Switch; returns the number of the command."""
        if on and not self.is_on:
            self._on_at_s = now_s + _SWITCHING_S
            self._statuses.append(power_pb2.STATUS_IN_PROGRESS)
        else:
            self._statuses.append(power_pb2.STATUS_SUCCESS)
        return len(self._statuses)

    def cut(self) -> None:
        """Take the power away at once."""
        if self._on_at_s is not None:
            self._statuses[-1] = power_pb2.STATUS_ESTOPPED
        self.is_on, self._on_at_s = False, None

    def advance(self, now_s: float) -> bool:
        """Let time pass; True if the motors have just got their power."""
        if self._on_at_s is None or now_s < self._on_at_s:
            return False
        self.is_on, self._on_at_s = True, None
        self._statuses[-1] = power_pb2.STATUS_SUCCESS
        return True

    def status(self, command_id: int) -> int:
        """How far a command has come."""
        if not 1 <= command_id <= len(self._statuses):
            raise InvalidRequest(f"there is no power command {command_id}")
        return self._statuses[command_id - 1]


class PowerService(Service, power_service_pb2_grpc.PowerServiceServicer):
    """Switches the motors, for the holder of the lease, unless an e-stop forbids it."""

    @answer(power_pb2.PowerCommandResponse)
    def PowerCommand(self, request: Any, response: Any) -> None:
        """On or off; nothing else of the robot can be switched."""
        robot = self.robot
        response.lease_use_result.CopyFrom(robot.leases.use(request.lease))
        response.license_status = license_pb2.LicenseInfo.STATUS_VALID
        if response.lease_use_result.status != response.lease_use_result.STATUS_OK:
            return
        if request.request not in (request.REQUEST_ON_MOTORS, request.REQUEST_OFF_MOTORS):
            raise InvalidRequest("the simulated Spot switches its motors only")
        on = request.request == request.REQUEST_ON_MOTORS
        if on and robot.estop.level()[0] != estop_pb2.ESTOP_LEVEL_NONE:
            response.status = power_pb2.STATUS_ESTOPPED
            return
        if on and robot.faults:
            response.status = power_pb2.STATUS_FAULTED
            return
        if not on:
            robot.cut_power("power off was ordered")
        response.power_command_id = robot.power.begin(on, robot.clock.now_s())
        response.status = robot.power.status(response.power_command_id)

    @answer(power_pb2.PowerCommandFeedbackResponse)
    def PowerCommandFeedback(self, request: Any, response: Any) -> None:
        """How far a command has come."""
        response.status = self.robot.power.status(request.power_command_id)
